"""DVC's lock files, kept in the order in which a serial run writes them, whatever order the stages ended in.

DVC puts a stage that is new to `dvc.lock` at its end, so stages that ran side by side would stand there as a race left
them. The order to keep is that of the lock as the run found it, then that of a serial run. A run notes what it found
until it has ended; one that was killed leaves the note to its successor.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ruamel.yaml import YAML

from gazette.core import atomic
from gazette.pipeline import graph, state
from gazette.pipeline.recovery import repair

FOUND = "found"  # folder of the copies


@contextmanager
def kept_in_order(root: Path, order: Sequence[str]) -> Iterator[Callable[[], None]]:
    """Around a run whose serial order is `order`; what it gives puts the locks in order, to be called after a stage."""
    folder = state.folder(root) / FOUND
    wanted = {lock: _found(root / lock, folder / lock) + names for lock, names in _by_lock(order).items()}
    new = {lock for lock, names in wanted.items() if len(set(names)) > len(_names(folder / lock))}

    def put() -> None:
        with graph.held(root):
            for lock in new:
                _sort(root / lock, wanted[lock])
            repair.remember(root)

    yield put
    put()
    shutil.rmtree(folder)


def _by_lock(order: Sequence[str]) -> dict[str, list[str]]:
    """Stages by the lock file that has them, `part/dvc.lock` for `part/dvc.yaml:train`; data sources are in none."""
    found: dict[str, list[str]] = {}
    for name in order:
        file, _, stage = name.rpartition(":")
        if not name.endswith(".dvc"):
            found.setdefault(str(Path(file or "dvc.yaml").with_suffix(".lock")), []).append(stage)
    return found


def _found(lock: Path, copy: Path) -> list[str]:
    names = _names(lock)
    if not copy.exists() or names[: len(_names(copy))] != _names(copy):
        with atomic.written(copy) as partial:
            partial.write_bytes(lock.read_bytes() if lock.exists() else b"")
    return _names(copy)


def _names(lock: Path) -> list[str]:
    if not lock.exists():
        return []
    return list((YAML(typ="safe", pure=True).load(lock) or {}).get("stages", {}))


def _sort(lock: Path, wanted: list[str]) -> None:
    """Puts the entries of a lock in order, each as it stands there; those that are not wanted stay last."""
    if not lock.exists():
        return
    head, *entries = re.split(r"^(?=  \S)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    names = _names(lock)
    places = {name: place for place, name in reversed([*enumerate(wanted)])}
    in_order = sorted(zip(names, entries, strict=True), key=lambda pair: places.get(pair[0], len(wanted)))
    if [name for name, _ in in_order] != names:
        atomic.write(head + "".join(entry for _, entry in in_order), lock)
