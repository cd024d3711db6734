"""Provenance: the judged files must match dvc.lock, and the raw data their pointer."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect_dvc import flatten, graph, hashing
from prefect_dvc.plan import Node
from prefect_dvc.recovery import lock_check

from gazette.core import pointers
from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import DvcLock
from gazette.registry.verdict import FAIL, PASS, Finding

RULE = "provenance"  # it always blocks
LOCK = Path("dvc.lock")
LAST = "evaluate"  # the stage whose metrics are judged; later stages have no influence on them
EXPECTED = "as dvc.lock names it"
TOLERANCE = 2  # articles that another machine, which rounds differently, may label differently

Mismatches = list[tuple[str, str]]


def check_provenance(raw: str, metrics: Path | None, computed: Mapping[str, float], rows: int) -> list[Finding]:
    """Return a finding for each file that is stale, missing, altered or not a number; a single one if none is.

    A stage is stale if DVC would run it again. Outputs and raw data are hashed again, whatever DVC has cached.
    `metrics` is the file for the judged bundle (None if it is not this revision's), `computed` the metrics that the
    bundle has now, on `rows` rows.
    """
    if not LOCK.exists() or lock_check.stage_names(LOCK.read_bytes()) is None:
        return [_fail("no intact dvc.lock", "nothing records what produced these metrics; run `gazette run`")]
    nodes, recorded = graph.read_graph(Path(), [LAST]), dvclock.load(None)
    mismatches = [
        *_stale_stages(nodes),
        *_hash_mismatches(nodes, recorded),
        *_raw(raw, recorded),
        *(_metric_mismatches(metrics, computed, TOLERANCE / rows) if metrics else []),
    ]
    return [_fail(*mismatch) for mismatch in mismatches] or [Finding(RULE, PASS, EXPECTED, EXPECTED)]


def _fail(what: str, why: str) -> Finding:
    return Finding(RULE, FAIL, what, EXPECTED, why)


def _stale_stages(nodes: Sequence[Node]) -> Mismatches:
    return [
        (node.name, f"{'; '.join(map(str, node.changes))}: `gazette run` brings it up to date")
        for node in nodes
        if node.changes
    ]


def _hash_mismatches(nodes: Sequence[Node], recorded: DvcLock) -> Mismatches:
    """List the outputs whose hash differs from the lock's; a missing one makes its stage stale."""
    stages = {node.name: recorded.stages.get(node.name, {}) for node in nodes}
    return [
        (path, f"has the hash {actual}, dvc.lock names {digest}")
        for path, digest in dvclock.list_outputs(stages).items()
        if (actual := hashing.dvc_hash_or_none(Path(path))) not in (None, digest)
    ]


def _raw(raw: str, recorded: DvcLock) -> Mismatches:
    """Report raw data that differ from their pointer, or from what the pipeline read."""
    pointer = pointers.pointer_path(raw)
    if not pointer.exists():
        return [(raw, pointers.missing(raw))]
    named, here, read = pointers.read_hash(pointer), hashing.dvc_hash_or_none(Path(raw)), recorded.hash_of(raw)
    if here == named == read:
        return []
    why = f"the files have the hash {here}, {pointer} names {named}, dvc.lock {read}"
    return [(raw, f"{why}: `dvc checkout {pointer}` undoes an edit, `dvc add {raw}` and `gazette run` record it")]


def _metric_mismatches(metrics: Path, computed: Mapping[str, float], tolerance: float) -> Mismatches:
    """List recorded metrics that are missing, not a number, or not what the bundle has on the test rows."""
    recorded = _read_object(metrics)
    if recorded is None:
        return [(str(metrics), "is missing or not a JSON object: `gazette run` writes it")]
    broken = [
        (str(metrics), f"{key} is {value}, which is not a finite number")
        for key, value in flatten.flatten(recorded).items()
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
    ]
    mismatches = [
        (str(metrics), f"{key} is {recorded.get(key)}, but this bundle has {value:.6f} on these rows")
        for key, value in computed.items()
        if not _is_near(recorded.get(key), value, tolerance)
    ]
    return broken or mismatches


def _read_object(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_bytes()) if path.exists() else None
    except ValueError:  # neither JSON nor UTF-8
        return None
    return value if isinstance(value, dict) else None


def _is_near(recorded: Any, value: float, tolerance: float) -> bool:
    return isinstance(recorded, int | float) and abs(recorded - value) <= tolerance
