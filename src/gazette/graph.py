"""DVC: the graph of stages, what of it changed, the hashes by which it knows files. The only module that imports it.

Where a function takes a `root`, it works on any DVC project, and names stages as `dvc` called in that folder does.
"""

import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dvc.config import merge
from dvc.dependency.param import ParamsDependency
from dvc.exceptions import DvcException, ReproductionError
from dvc.repo import Repo
from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides
from dvc_data.hashfile.build import build
from ruamel.yaml import YAML

from gazette import records
from gazette.errors import Misconfigured, parse
from gazette.execution.plan import Change, Hints, Node


def read(root: Path, targets: Sequence[str] = ()) -> list[Node]:
    """The stages of the project, or the targets and all upstream of them, in the order in which `dvc repro` takes them.

    Data sources (`.dvc` files) are among them where they changed: a run would record that. Raises Misconfigured where
    `dvc.yaml` cannot be read, a target is none, or another run holds DVC's lock.
    """
    with _opened(root) as repo, repo.lock:
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
def _opened(root: Path) -> Iterator[Repo]:
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
        yield from _leaves(where + key, state, before.get(key), after.get(key))


def _leaves(key: str, state: str, before: Any, after: Any) -> Iterator[Change]:
    """Of a section that changed, the numbers that did."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        yield Change("param", key, state, before, after)
        return
    for inner in [*before, *(name for name in after if name not in before)]:
        if inner not in after or inner not in before:
            word = "new" if inner in after else "deleted"
            yield Change("param", f"{key}.{inner}", word, before.get(inner), after.get(inner))
        elif before[inner] != after[inner]:
            yield from _leaves(f"{key}.{inner}", state, before[inner], after[inner])


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
    with _opened(root):
        for file, words in to_path_overrides(overrides).items():
            apply_overrides(file, words)


def share(root: Path, folder: Path) -> None:
    """Gives another tree of the project the cache of this one and its own settings, remotes' passwords included.

    An address of a remote that is relative to this tree is so no more.
    """
    with Repo(str(root)) as here, Repo(str(folder)) as there:
        urls = {name: {"url": remote["url"]} for name, remote in here.config["remote"].items()}
        with there.config.edit("local") as settings:
            merge(settings, here.config.read("local"))
            merge(settings, {"cache": {"dir": here.cache.local_cache_dir}, "remote": urls})
    (folder / ".dvc" / "config.local").chmod(0o600)


CACHE = "cache-of-origin"  # the remote that `set_apart` makes


def set_apart(root: Path, folder: Path) -> None:
    """Gives another tree of the project an empty cache of its own; this one's is a remote of it, named `CACHE`."""
    share(root, folder)
    with Repo(str(root)) as here, Repo(str(folder)) as there, there.config.edit("local") as settings:
        merge(settings, {"remote": {CACHE: {"url": str(Path(here.cache.local_cache_dir).absolute())}}})
        settings["cache"]["dir"] = str(folder.absolute() / ".dvc" / "cache")


def remote(root: Path) -> str | None:
    """The name of the remote that data go to, if there is one."""
    with _opened(root) as repo:
        name: str | None = repo.config["core"].get("remote")
        return name


def files(root: Path) -> list[str]:
    """The files that have stages, as DVC names them."""
    with _opened(root) as repo:
        return [os.path.relpath(path, root.absolute()) for path in _every_file(repo)]


def missing(root: Path) -> list[str]:
    """What pointers and locks name and DVC keeps, and is not in the tree; of raw data, those that a stage reads."""
    with _opened(root) as repo:
        read = {dep.fs_path for stage in repo.index.stages if not stage.is_data_source for dep in stage.deps}
        outs = [out for out in repo.index.outs if out.use_cache and out.hash_info and not out.exists]
        found = {out.fs_path for out in outs if not out.stage.is_data_source or out.fs_path in read}
    return sorted(os.path.relpath(path, root.absolute()) for path in found)


def recorded(root: Path) -> list[str]:
    """What a run makes that belongs into git: locks, and the outputs that DVC does not cache, metrics and plots."""
    with _opened(root) as repo:
        stages = [stage for stage in repo.index.stages if not stage.is_data_source]
        locks = {str(Path(stage.path).with_suffix(".lock")) for stage in stages}
        outs = {out.fs_path for stage in stages for out in stage.outs if not out.use_cache and out.protocol == "local"}
    return sorted(os.path.relpath(path, root.absolute()) for path in locks | outs)


def metrics_diff(root: Path) -> list[tuple[str, str, Any, Any]]:
    """Metrics that differ from the last commit's: (file, metric, then, now); as `dvc metrics diff` says."""
    with _opened(root) as repo:
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


def changed_outputs() -> list[str]:
    """Outputs whose hash in dvc.lock is not the one of the last commit's; none where there is no such commit."""
    committed = subprocess.run(["git", "show", "HEAD:dvc.lock"], capture_output=True, text=True, check=False)
    if committed.returncode:
        return []
    before, after = (_outputs(YAML(typ="safe", pure=True).load(text)) for text in (committed.stdout, Path("dvc.lock")))
    return sorted(path for path, found in after.items() if before.get(path, found) != found)


def _outputs(lock: dict[str, Any]) -> dict[str, str]:
    return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage.get("outs", [])}


def digest(path: Path) -> str:
    """The hash by which DVC knows a file or folder."""
    with Repo() as repo:
        _, _, found = build(repo.cache.local, str(path.absolute()), repo.cache.local.fs, "md5", dry_run=True)
    return str(found.hash_info.value)


def listing(digest: str) -> dict[str, str]:
    """The files of a folder by that hash, name to hash, as DVC's cache knows them; nothing where it does not."""
    with Repo() as repo:
        path = Path(repo.cache.local.oid_to_path(digest))
    if not path.exists():
        return {}
    return {entry["relpath"]: entry["md5"] for entry in json.loads(path.read_text(encoding="utf-8"))}


def pointed_at(pointer: Path) -> str:
    """The hash that a `.dvc` file names."""
    return str(records.read_yaml(pointer)["outs"][0]["md5"])


def add(path: Path) -> None:
    """Puts a file or folder under DVC, as `dvc add` does: into its cache, and a pointer beside it.

    Raises Misconfigured where DVC cannot: another command holds its lock, this is no project of DVC's.
    """
    logging.getLogger("dvc").setLevel(logging.WARNING)  # without advice on git, where the pointer stays as it was
    try:
        with Repo() as repo:
            repo.add(str(path))
    except DvcException as error:
        raise Misconfigured(f"DVC cannot take in {path}: {error}") from error
