"""DVC's lock files, kept in the order in which a serial run writes them, whatever order the stages ended in.

DVC appends a new stage to `dvc.lock`, so the order of stages that run side by side would depend on a race. The order to
keep is that of the lock before the run, then that of a serial run. A run keeps copies of the locks as they were until
it has ended; a killed one leaves them to its successor.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prefect_dvc import git, graph, lock_record, lock_text, state
from prefect_dvc.core import atomic
from prefect_dvc.recovery import lock_check, repair

COPIES = "locks-before-run"  # folder


@contextmanager
def preserve_lock_order(root: Path, order: Sequence[str]) -> Iterator[Callable[[], None]]:
    """Keep the locks in order around a run whose serial order is `order`; call what it yields after each stage."""
    folder = state.state_folder(root) / COPIES
    target = {lock: _names_before(root / lock, folder / lock) + names for lock, names in _by_lock(order).items()}
    new = {lock for lock, names in target.items() if len(set(names)) > len(_names(folder / lock))}

    with graph.repo_lock(root) as (repo_lock, autostage):

        def sort_locks() -> None:
            with repo_lock():
                for lock in new:
                    _sort(root, root / lock, target[lock])
                repair.back_up_locks(root)

        yield sort_locks
        sort_locks()
        if autostage and new:
            git.run("add", "--", *sorted(lock for lock in new if (root / lock).exists()), folder=root)
    shutil.rmtree(folder)


def _by_lock(order: Sequence[str]) -> dict[str, list[str]]:
    """Group stages by lock file, `part/dvc.lock` for `part/dvc.yaml:train`; data sources are in none."""
    stages: dict[str, list[str]] = {}
    for name in order:
        file, _, stage = name.rpartition(":")
        if not name.endswith(".dvc"):
            stages.setdefault(str(Path(file or "dvc.yaml").with_suffix(".lock")), []).append(stage)
    return stages


def _names_before(lock: Path, copy: Path) -> list[str]:
    """Return the stages of a lock before the run, from its copy; copies it unless a killed run did."""
    names = _names(lock)
    if not copy.exists() or names[: len(_names(copy))] != _names(copy):
        with atomic.atomic_path(copy) as partial:
            partial.write_bytes(lock.read_bytes() if lock.exists() else b"")
    return _names(copy)


def _names(lock: Path) -> list[str]:
    text = lock.read_text(encoding="utf-8") if lock.exists() else ""
    parts = lock_text.split(text)
    return list(parts.blocks if parts else lock_check.parse_stages(text)) if text else []


def _sort(root: Path, lock: Path, target: list[str]) -> None:
    """Sort the entries of a lock, each unchanged; those that are not in `target` stay last."""
    if not lock.exists():
        return
    written = lock_record.read_written(root, lock)
    parts = written or lock_text.split(lock.read_text(encoding="utf-8"))
    places = {name: place for place, name in reversed([*enumerate(target)])}
    names = list(parts.blocks) if parts else []
    in_order = sorted(names, key=lambda name: places.get(name, len(target)))
    if parts and in_order != names:
        atomic.write_text(lock, str(parts.sort(in_order)))
        if written:
            lock_record.record_written(root, lock)
