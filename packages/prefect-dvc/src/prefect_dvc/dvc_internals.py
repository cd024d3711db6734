"""All that is used of DVC beyond its command: most of it is not documented, and a release may change it.

No other module imports DVC. The tests run with the oldest and the newest DVC that pyproject.toml allows.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from configobj import ConfigObj
from dvc.config import Config, _pack_named, merge
from dvc.dependency.db import AbstractDependency
from dvc.dependency.param import ParamsDependency
from dvc.dependency.repo import RepoDependency
from dvc.dvcfile import Lockfile, ProjectFile, check_dvcfile_path
from dvc.exceptions import DvcException, ReproductionError
from dvc.fs.dvc import _DVCFileSystem as DVCFileSystem  # that of `dvc.api`, which imports all of DVC's experiments
from dvc.lock import DEFAULT_TIMEOUT, Lock, LockBase, LockError
from dvc.log import logger
from dvc.repo import Repo
from dvc.repo.brancher import switch
from dvc.repo.reproduce import _reproduce_stage, collect_stages, get_active_graph, plan_repro
from dvc.rwlock import rwlock
from dvc.scm import NoSCM
from dvc.stage import Stage, serialize
from dvc.stage.exceptions import MissingDataSource
from dvc.utils import strictyaml
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.serialize import dumps_yaml, loads_yaml
from dvc_data.hashfile.status import status
from dvc_data.hashfile.tree import Tree
from dvc_data.index.index import DataIndexDirError

__all__ = [
    "DVCFileSystem",
    "DataIndexDirError",
    "DvcException",
    "MissingDataSource",
    "NoSCM",
    "ParamsDependency",
    "Repo",
    "ReproductionError",
    "Tree",
    "check_dvcfile_path",
    "check_lock_is_not_ignored",
    "collect_stages",
    "dump_entry",
    "get_active_graph",
    "has_run",
    "ignore_pattern",
    "loads_yaml",
    "locked",
    "log_lock_update",
    "merge",
    "override_params",
    "plan_repro",
    "prepare_command",
    "read_pipeline",
    "replace_file_access",
    "reproduce_stage",
    "status",
    "status_lock",
    "status_of",
    "switch",
    "write_settings",
]

POLL_SECONDS = 0.01
LoadYaml = Callable[..., Any]
reproduce_stage = _reproduce_stage
_load_yaml, _load_lock, _dump_lock = strictyaml.load, Lockfile._load, Lockfile.dump_stages
_log = logger.getChild("dvcfile")


def wait_for_lock(lock: LockBase) -> None:
    """Acquire a lock of DVC, which looks at one in use only every half second; stages side by side meet at it.

    Raises DVC's error after DVC's time if the lock is not one to wait for.
    """
    if not isinstance(lock, Lock):
        lock.lock()  # one by hard links has a way of its own
        return
    end = time.monotonic() + DEFAULT_TIMEOUT
    while not lock.is_locked:
        try:
            lock._do_lock()
        except LockError:
            if not lock._wait and time.monotonic() > end:
                raise
            time.sleep(POLL_SECONDS)


@contextmanager
def locked(lock: LockBase) -> Iterator[None]:
    """Hold a lock of DVC during a block."""
    wait_for_lock(lock)
    try:
        yield
    finally:
        lock.unlock()


@contextmanager
def status_lock(repo: Repo, stages: Iterable[Any]) -> Iterator[None]:
    """Hold DVC's lock on the paths of all these stages at once; `stage.status` takes it anew for each stage."""
    entries = [entry for stage in stages for entry in (*stage.deps, *stage.outs)]
    paths = [entry.fs_path for entry in entries if not isinstance(entry, RepoDependency | AbstractDependency)]
    hardlink = repo.config["core"].get("hardlink_lock", False)
    with rwlock(repo.tmp_dir, repo.fs, " ".join(sys.argv), paths, [], hardlink):
        yield


def status_of(stage: Any) -> dict[str, Any]:
    """Return what `stage.status` does, within `status_lock`."""
    return dict(Stage.status.__wrapped__(stage))


def has_run(repo: Repo, stage: Any) -> bool:
    """Check whether the run cache has outputs for the stage with its dependencies as they are now."""
    stage.save_deps()  # in memory
    entry = repo.stage_cache._load(stage)
    return bool(entry) and bool(repo.stage_cache._create_stage(entry, wdir=stage.wdir).outs_cached())


def ignore_pattern(repo: Repo, path: Path) -> str | None:
    """Return file, line and pattern of the `.dvcignore` that leaves a path out, if one does."""
    if not (repo.dvcignore.is_ignored_dir if path.is_dir() else repo.dvcignore.is_ignored_file)(str(path)):
        return None
    return str(repo.dvcignore.check_ignore(str(path)).pattern_infos[-1])  # slower, so only then


def override_params(overrides: Sequence[str]) -> None:
    """Set params in their files, as `dvc exp run --set-param` does; raises ValueError for one outside this folder."""
    from dvc.utils.hydra import apply_overrides

    for file, words in to_path_overrides(overrides).items():
        if not Path(file).resolve().is_relative_to(Path.cwd().resolve()):
            raise ValueError(f"{file} is outside of the project")
        apply_overrides(file, words)


def write_settings(settings: dict[str, Any], path: Path) -> None:
    """Write local settings in UTF-8; DVC's own `Config.edit` cannot write a path that is not ASCII."""
    config = ConfigObj(_pack_named(Config._save_paths(settings, str(path))), encoding="utf-8")
    with path.open("wb") as file:
        config.write(file)


def prepare_command() -> None:
    """Build the parser of DVC's command line once for all stages; it takes as long as one of them."""
    from dvc.cli.parser import get_main_parser

    get_main_parser()


def read_pipeline(path: str) -> Any:
    """Read and check a dvc.yaml, and return its content and text."""
    return _load_yaml(path, ProjectFile.SCHEMA)


def replace_file_access(
    load_yaml: Callable[[LoadYaml, str, Any, Any], Any],
    load_lock: Callable[[LoadYaml, Lockfile, Any], Any],
    dump_lock: Callable[[LoadYaml, Lockfile, Sequence[Any], Any], None],
) -> None:
    """Have DVC in this process read dvc.yaml, and read and write dvc.lock, by these functions; see `wait_for_lock` too.

    Each gets what it replaces first, then the arguments of that; options as a dictionary.
    """
    Lock.lock = wait_for_lock
    strictyaml.load = lambda path, *arguments, **options: load_yaml(_load_yaml, path, arguments, options)
    Lockfile._load = lambda file, **options: load_lock(_load_lock, file, options)
    Lockfile.dump_stages = lambda file, stages, **options: dump_lock(_dump_lock, file, stages, options)


def dump_entry(stage: Any, options: dict[str, Any]) -> str:
    """Return the entry of a stage in dvc.lock as DVC writes it."""
    entry = serialize.to_lockfile(stage, **options)
    return str(dumps_yaml({"stages": entry})).removeprefix("stages:\n")


def log_lock_update(file: Lockfile) -> None:
    """Say that a lock is written, as DVC does."""
    _log.info("Updating lock file '%s'", file.relpath)


def check_lock_is_not_ignored(file: Lockfile) -> None:
    """Raise DVC's error if git ignores a lock."""
    file._check_gitignored()
