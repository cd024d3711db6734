"""DVC's graph of stages, and what changed in it.

Functions with a `root` work on any DVC project, and name stages as `dvc` called in that folder does.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from prefect_dvc import dvc_errors, flatten, git
from prefect_dvc.core.errors import ConfigError, parse
from prefect_dvc.dvc_internals import (
    DvcException,
    NoSCM,
    ParamsDependency,
    Repo,
    check_dvcfile_path,
    collect_stages,
    get_active_graph,
    has_run,
    locked,
    override_params,
    plan_repro,
    status_lock,
    status_of,
)
from prefect_dvc.plan import Change, Hints, Node


def read_graph(root: Path, targets: Sequence[str] = ()) -> list[Node]:
    """Return the stages of the project, or the targets and everything upstream of them, in the order of `dvc repro`.

    Data sources (`.dvc` files) are included if they changed, since a run would record that. Raises ConfigError if
    `dvc.yaml` cannot be read, a target does not exist, or another run holds DVC's lock.
    """
    with open_repo(root) as repo, repo.lock:
        if Path("dvc.yaml").is_file():
            check_dvcfile_path(repo, "dvc.yaml")  # DVC passes over one that git ignores
        _resolve_templates(repo)
        active = get_active_graph(repo.index.graph)
        stages = plan_repro(active, collect_stages(repo, targets) if targets else own_stages(repo))
        with status_lock(repo, stages):
            nodes = {stage: _node(repo, stage, active) for stage in stages}
        wanted = [node for stage, node in nodes.items() if node.changes or not stage.is_data_source]
    names = {node.name for node in wanted}
    return [replace(node, upstream=tuple(name for name in node.upstream if name in names)) for node in wanted]


_CHDIR_LOCK = threading.RLock()  # the working directory belongs to the process, not to a thread


@contextmanager
def repo_lock(root: Path) -> Iterator[tuple[Callable[[], AbstractContextManager[None]], bool]]:
    """Yield a function that holds DVC's lock on the project during a block, and DVC's setting `core.autostage`.

    No stage ends while the lock is held. With `autostage`, DVC adds what it writes to git's index.
    """
    with Repo(str(root), _wait_for_lock=True) as repo:
        yield lambda: locked(repo.lock), repo.config["core"].get("autostage", False)


def own_stages(repo: Repo) -> list[Any]:
    """Return the stages in this folder and below, file by file.

    The folder with `.dvc` may be above, and have other projects too.
    """
    stages = (stage for stage in repo.index.stages if not stage.is_data_source)
    return sorted((stage for stage in stages if Path(stage.path).is_relative_to(Path.cwd())), key=attrgetter("path"))


@contextmanager
def open_repo(root: Path) -> Iterator[Repo]:
    """Open the project in DVC; raises ConfigError if DVC cannot read it."""
    logging.getLogger("dvc").setLevel(logging.WARNING)
    try:
        with _CHDIR_LOCK, chdir(root), Repo() as repo:  # DVC names stages, and reads targets, from where it is called
            yield repo
    except DvcException as error:
        why = dvc_errors.explain(error, root)
        raise ConfigError(f"DVC cannot read the stages of {root.absolute()}: {why}") from error
    except ImportError as error:
        if error.name:
            raise
        raise ConfigError(f"DVC in {root.absolute()}: {error}") from error  # what it lacks for a kind of storage


def _resolve_templates(repo: Repo) -> None:
    """Read all stages; raises ConfigError if a param does not fit its template, such as a word where a list belongs."""
    try:
        repo.index  # noqa: B018  # DVC reads them now, and raises a bare TypeError
    except TypeError as error:
        raise ConfigError(
            f"DVC cannot fill in a dvc.yaml of {repo.root_dir}: {error}; is a param of another type?"
        ) from error


def _node(repo: Repo, stage: Any, active: Any) -> Node:
    name = stage.addressing
    hints = (stage.meta or {}).get("prefect", {}) if isinstance(stage.meta, dict) else {}
    changes = _changes(stage) if status_of(stage) or _always_runs(stage) else ()
    return Node(
        name=name,
        upstream=tuple(sorted(successor.addressing for successor in active.successors(stage))),
        changes=changes,
        restorable=bool(changes) and _is_restorable(repo, stage),
        hints=parse(Hints, hints, f"{stage.relpath}, meta.prefect of {name}"),
    )


def _changes(stage: Any) -> tuple[Change, ...]:
    """Return the differences, entry by entry; a stage that is not in dvc.lock is new, and nothing else."""
    if not stage.is_data_source and stage.cmd:
        recorded = stage.dvcfile.lockfile_contents.get("stages", {}).get(stage.name)
        if recorded is None:
            return (Change("stage", stage.name, "new"),)
        if stage.cmd_changed:
            return (Change("command", "", "modified", recorded["cmd"], stage.cmd), *_entries(stage))
    return _entries(stage)


def _entries(stage: Any) -> tuple[Change, ...]:
    changes: list[Change] = []
    for kind, entries in (("dep", [] if stage.frozen else stage.deps), ("out", stage.outs)):
        for entry in entries:
            for name, state in entry.status().items():
                if isinstance(state, dict):
                    changes += _params(entry, state)
                else:
                    changes.append(Change(kind, name, state, entry.hash_info.value, _hash_now(entry)))
    if _always_runs(stage):
        changes.append(Change("stage", stage.name or stage.relpath, "always changed"))
    return tuple(changes)


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
        old, new = (flatten.flatten(side, where + key) for side in (was, now))  # in a section, the values that changed
        for name in [name for name in old | new if name not in old or name not in new or old[name] != new[name]]:
            word = "new" if name not in old else "deleted" if name not in new else state
            yield Change("param", name, word, old.get(name), new.get(name))


def _hash_now(entry: Any) -> str | None:
    return str(entry.get_hash().value) if entry.exists else None


def _is_restorable(repo: Repo, stage: Any) -> bool:
    """Check whether DVC's run cache has the stage's outputs, provided that nothing upstream changes first."""
    if not _can_be_restored(stage):
        return False
    return has_run(repo, stage)


def _can_be_restored(stage: Any) -> bool:
    outs = all(out.protocol == "local" and not out.persist for out in stage.outs)
    deps = all(dep.protocol == "local" and dep.exists for dep in stage.deps)
    return bool(stage.cmd and stage.deps and stage.outs and outs and deps and not stage.always_changed)


def set_params(root: Path, overrides: Sequence[str]) -> None:
    """Set params, `train.seed=8` or `other.yaml:train.seed=8`, in their files, as `dvc exp run --set-param` does.

    Raises ConfigError with the override if DVC does not take it, or if its file is not in the project.
    """
    with open_repo(root):
        for override in overrides:
            try:
                override_params([override])
            except (DvcException, ValueError) as error:
                reason = str(error.__cause__ or error).partition("\n")[0]
                raise ConfigError(f"--set {override}: {reason}") from error


def list_dvc_files(root: Path) -> list[str]:
    """List the files that define stages, as DVC names them."""
    with open_repo(root) as repo:
        return [os.path.relpath(path) for path in sorted({stage.path for stage in own_stages(repo)})]


def git_tracked_outputs(root: Path) -> list[str]:
    """List what a run makes that belongs in git: locks, and outputs that DVC does not cache, such as metrics."""
    with open_repo(root) as repo:
        stages = own_stages(repo)
        locks = {str(Path(stage.path).with_suffix(".lock")) for stage in stages}
        outs = {out.fs_path for stage in stages for out in stage.outs if not out.use_cache and out.protocol == "local"}
        return sorted(os.path.relpath(path) for path in locks | outs)


def metrics_diff(root: Path) -> list[tuple[str, str, Any, Any]]:
    """Return the metrics that differ from the last commit's as (file, metric, before, now), like `dvc metrics diff`.

    Empty if DVC knows of no git. DVC takes half a second, so it is not asked if git sees no file that differs.
    """
    if not git.output("status", "--porcelain", "--untracked-files=normal", folder=root):
        return []
    with open_repo(root) as repo:
        files = {} if isinstance(repo.scm, NoSCM) else repo.metrics.diff().get("diff", {})
    return [
        (file, metric, sides.get("old"), sides.get("new"))
        for file, metrics in sorted(files.items())
        for metric, sides in sorted(metrics.items())
    ]
