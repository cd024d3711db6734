"""Evidence: what is judged must be what dvc.lock says that it is, and raw data what their pointer says."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gazette.pipeline import dvclock, flatten, graph, hashing, storage
from gazette.pipeline.dvclock import State
from gazette.pipeline.plan import Node
from gazette.pipeline.recovery import lock_check
from gazette.registry.verdict import FAIL, PASS, Finding

RULE = "evidence"  # it always blocks
LOCK = Path("dvc.lock")
LAST = "evaluate"  # the stage whose figures are judged; what comes after it proves nothing about them
EXPECTED = "as dvc.lock names it"
NEAR = 2  # articles that another machine, which rounds otherwise, may label otherwise

Faults = list[tuple[str, str]]


def findings(raw: str, metrics: Path | None, computed: Mapping[str, float], rows: int) -> list[Finding]:
    """A finding for each thing that is stale, missing, foreign or not a number; one if nothing is.

    Stages that DVC would run again are stale, by what of them changed; outputs and raw data are hashed anew, whatever
    DVC noted. `metrics` is the record of the bundle that is judged (none: it is not this revision's), `computed` what
    that bundle came to now, on so many rows.
    """
    if not LOCK.exists() or lock_check.stages(LOCK.read_bytes()) is None:
        return [_fault("no whole dvc.lock", "nothing says what made these figures; `gazette run` does")]
    nodes, recorded = graph.read(Path(), [LAST]), dvclock.at(None)
    wrong = [
        *_stale(nodes),
        *_foreign(nodes, recorded),
        *_raw(raw, recorded),
        *(_unlike(metrics, computed, NEAR / rows) if metrics else []),
    ]
    return [_fault(*one) for one in wrong] or [Finding(RULE, True, PASS, EXPECTED, EXPECTED)]


def _fault(what: str, why: str) -> Finding:
    return Finding(RULE, True, FAIL, what, EXPECTED, why)


def _stale(nodes: Sequence[Node]) -> Faults:
    return [
        (node.name, f"{'; '.join(map(str, node.changes))}: `gazette run` brings it up to date")
        for node in nodes
        if node.changes
    ]


def _foreign(nodes: Sequence[Node], recorded: State) -> Faults:
    """Outputs with another hash than the lock's; one that is missing makes its stage stale."""
    outs = [out for node in nodes for out in recorded.stages.get(node.name, {}).get("outs", [])]
    return [
        (out["path"], f"has the hash {seen}, dvc.lock names {out.get('md5')}")
        for out in outs
        if (seen := hashing.of_path(Path(out["path"]))) not in (None, out.get("md5"))
    ]


def _raw(raw: str, recorded: State) -> Faults:
    """Raw data that are not what their pointer names, or that the pipeline did not read."""
    pointer = Path(raw + ".dvc")
    if not pointer.exists():
        return [(raw, f"is not under DVC: `dvc add {raw}` records what was used")]
    named, here, read = storage.pointed_at(pointer), hashing.of_path(Path(raw)), recorded.hash_of(raw)
    if here == named == read:
        return []
    said = f"the files have the hash {here}, {pointer} names {named}, dvc.lock {read}"
    return [(raw, f"{said}: `dvc checkout {pointer}` undoes an edit, `dvc add {raw}` and `gazette run` record it")]


def _unlike(metrics: Path, computed: Mapping[str, float], near: float) -> Faults:
    """Recorded figures that are missing, no number, or not what the bundle comes to on the test rows."""
    recorded = _record(metrics)
    if recorded is None:
        return [(str(metrics), "is missing, or no JSON object: `gazette run` makes it")]
    broken = [
        (str(metrics), f"{key} is {value}: no figure can be judged that is not a number")
        for key, value in flatten.leaves(recorded).items()
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
    ]
    unlike = [
        (str(metrics), f"{key} is {recorded.get(key)}, and comes to {value:.6f} with this bundle on these rows")
        for key, value in computed.items()
        if not _is_near(recorded.get(key), value, near)
    ]
    return broken or unlike


def _record(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes()) if path.exists() else None
    except ValueError:  # neither JSON nor UTF-8
        return None
    return found if isinstance(found, dict) else None


def _is_near(recorded: Any, value: float, near: float) -> bool:
    return isinstance(recorded, int | float) and abs(recorded - value) <= near
