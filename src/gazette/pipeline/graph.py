"""DVC: the graph of stages, what of it changed, and bringing it up to date.

Where a function takes a `root`, it works on any DVC project, and names stages as `dvc` called in that folder does.
"""

import logging
import os
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dvc.dependency.param import ParamsDependency
from dvc.exceptions import DvcException, ReproductionError
from dvc.repo import Repo
from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides

from gazette.core.errors import Misconfigured, parse
from gazette.pipeline import flatten
from gazette.pipeline.plan import Change, Hints, Node


def read(root: Path, targets: Sequence[str] = ()) -> list[Node]:
    """The stages of the project, or the targets and all upstream of them, in the order in which `dvc repro` takes them.

    Data sources (`.dvc` files) are among them where they changed: a run would record that. Raises Misconfigured where
    `dvc.yaml` cannot be read, a target is none, or another run holds DVC's lock.
    """
    with opened(root) as repo, repo.lock:
        active = get_active_graph(repo.index.graph)
        stages = plan_repro(active, collect_stages(repo, targets or _every_file(repo)))
        nodes = {stage: _node(repo, stage, active) for stage in stages}
        wanted = [node for stage, node in nodes.items() if node.changes or not stage.is_data_source]
    names = {node.name for node in wanted}
    return [replace(node, upstream=tuple(name for name in node.upstream if name in names)) for node in wanted]


_ONE = threading.RLock()  # a folder is a process's, not a thread's


@contextmanager
def held(root: Path) -> Iterator[None]:
    """Holds DVC's lock on the project, so that no stage ends meanwhile; waits for it."""
    with Repo(str(root), _wait_for_lock=True) as repo, repo.lock:
        yield


def _every_file(repo: Repo) -> list[str]:
    return sorted({stage.path for stage in repo.index.stages if not stage.is_data_source})


@contextmanager
def opened(root: Path) -> Iterator[Repo]:
    """The project as DVC sees it; raises Misconfigured where DVC cannot read it."""
    logging.getLogger("dvc").setLevel(logging.WARNING)
    try:
        with _ONE, chdir(root), Repo() as repo:  # DVC names stages, and reads targets, from where it is called
            yield repo
    except DvcException as error:
        raise Misconfigured(f"DVC cannot read the stages of {root.absolute()}: {error}") from error


def _node(repo: Repo, stage: Any, active: Any) -> Node:
    name = stage.addressing
    hints = (stage.meta or {}).get("prefect", {}) if isinstance(stage.meta, dict) else {}
    changes = _changes(stage) if stage.status() or _always_runs(stage) else ()
    return Node(
        name=name,
        upstream=tuple(sorted(other.addressing for other in active.successors(stage))),
        changes=changes,
        restorable=bool(changes) and _is_restorable(repo, stage),
        hints=parse(Hints, hints, f"{stage.relpath}, meta.prefect of {name}"),
    )


def _changes(stage: Any) -> tuple[Change, ...]:
    """What differs, entry by entry; a stage that is not in dvc.lock is new, and that says it all."""
    if not stage.is_data_source and stage.cmd:
        locked = stage.dvcfile.lockfile_contents.get("stages", {}).get(stage.name)
        if locked is None:
            return (Change("stage", stage.name, "new"),)
        if stage.cmd_changed:
            return (Change("command", "", "modified", locked["cmd"], stage.cmd), *_entries(stage))
    return _entries(stage)


def _entries(stage: Any) -> tuple[Change, ...]:
    found: list[Change] = []
    for kind, entries in (("dep", [] if stage.frozen else stage.deps), ("out", stage.outs)):
        for entry in entries:
            for name, state in entry.status().items():
                if isinstance(state, dict):
                    found += _params(entry, state)
                else:
                    found.append(Change(kind, name, state, entry.hash_info.value, _hash_now(entry)))
    if _always_runs(stage):
        found.append(Change("stage", stage.name or stage.relpath, "always changed"))
    return tuple(found)


def _always_runs(stage: Any) -> bool:
    return bool(stage.always_changed or stage.is_callback) and not stage.frozen


def _params(entry: ParamsDependency, states: dict[str, str]) -> Iterator[Change]:
    before, after = entry.hash_info.value or {}, entry.read_params()
    where = "" if entry.def_path == entry.DEFAULT_PARAMS_FILE else f"{entry.def_path}:"
    for key, state in states.items():
        was, now = before.get(key), after.get(key)
        if not isinstance(was, dict) or not isinstance(now, dict):
            yield Change("param", where + key, state, was, now)
            continue
        old, new = (flatten.leaves(side, where + key) for side in (was, now))  # of a section, the numbers that changed
        for name in [name for name in old | new if name not in old or name not in new or old[name] != new[name]]:
            word = "new" if name not in old else "deleted" if name not in new else state
            yield Change("param", name, word, old.get(name), new.get(name))


def _hash_now(entry: Any) -> str | None:
    return str(entry.get_hash().value) if entry.exists else None


def _is_restorable(repo: Repo, stage: Any) -> bool:
    """Whether DVC's run cache has what the stage would make, as long as nothing upstream makes something else first."""
    if not _can_be_restored(stage):
        return False
    stage.save_deps()  # in memory: the hashes of what it depends on, as they are now
    entry = repo.stage_cache._load(stage)
    return bool(entry) and bool(repo.stage_cache._create_stage(entry, wdir=stage.wdir).outs_cached())


def _can_be_restored(stage: Any) -> bool:
    kept = all(out.protocol == "local" and not out.persist for out in stage.outs)
    known = all(dep.protocol == "local" and dep.exists for dep in stage.deps)
    return bool(stage.cmd and stage.deps and stage.outs and kept and known and not stage.always_changed)


def override(root: Path, overrides: Sequence[str]) -> None:
    """Sets params, `train.seed=8` or `other.yaml:train.seed=8`, in their files, as `dvc exp run --set-param` does."""
    with opened(root):
        for file, words in to_path_overrides(overrides).items():
            apply_overrides(file, words)


def files(root: Path) -> list[str]:
    """The files that have stages, as DVC names them."""
    with opened(root) as repo:
        return [os.path.relpath(path, root.absolute()) for path in _every_file(repo)]


def recorded(root: Path) -> list[str]:
    """What a run makes that belongs into git: locks, and the outputs that DVC does not cache, metrics and plots."""
    with opened(root) as repo:
        stages = [stage for stage in repo.index.stages if not stage.is_data_source]
        locks = {str(Path(stage.path).with_suffix(".lock")) for stage in stages}
        outs = {out.fs_path for stage in stages for out in stage.outs if not out.use_cache and out.protocol == "local"}
    return sorted(os.path.relpath(path, root.absolute()) for path in locks | outs)


def metrics_diff(root: Path) -> list[tuple[str, str, Any, Any]]:
    """Metrics that differ from the last commit's: (file, metric, then, now); as `dvc metrics diff` says."""
    with opened(root) as repo:
        files = repo.metrics.diff().get("diff", {})
    return [
        (file, metric, sides.get("old"), sides.get("new"))
        for file, metrics in sorted(files.items())
        for metric, sides in sorted(metrics.items())
    ]


@dataclass(frozen=True)
class Outcome:
    """What became of the stages, `ran` or `unchanged` in the order of dvc.yaml, or why the run ended early."""

    states: dict[str, str] = field(default_factory=dict)
    code: int = 0  # the exit code of the stage that failed
    message: str = ""


def reproduce() -> Outcome:
    """Brings every stage up to date, as `dvc repro` does, its output on this terminal.

    Raises Misconfigured where DVC cannot start: another run holds its lock, `dvc.yaml` is not valid.
    """
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    try:
        with Repo() as repo:
            names = [stage.addressing for stage in repo.index.stages if not stage.is_data_source]
            ran = {stage.addressing for stage in repo.reproduce()}
    except ReproductionError as error:
        return Outcome(code=_exit_code(error.__cause__), message=f"{error}: {error.__cause__}")
    except DvcException as error:
        raise Misconfigured(f"DVC cannot run the stages: {error}") from error
    return Outcome({name: "ran" if name in ran else "unchanged" for name in names})


def _exit_code(cause: BaseException | None) -> int:
    """What the stage ended with, as DVC's message says it; 128 + n after signal n; 2 where it was not even started."""
    found = re.search(r"exited with (-?\d+)", str(cause))
    if not found:
        return Misconfigured.code
    return int(found[1]) if int(found[1]) >= 0 else 128 - int(found[1])
