"""Which `dvc.lock` was last written by DVC, or spliced as DVC would have: a hash of its text."""

import hashlib
from pathlib import Path

from prefect_dvc import lock_text, state
from prefect_dvc.core import atomic
from prefect_dvc.lock_text import LockText

HASHES = "locks-written"  # folder


def read_written(root: Path, lock: Path) -> LockText | None:
    """Return the text of a lock in the project at `root`; None if somebody else wrote it, maybe otherwise than DVC."""
    record = _record(root, lock)
    if not lock.exists() or not record.exists():
        return None
    content = lock.read_bytes()
    return lock_text.split(content.decode()) if record.read_text(encoding="utf-8") == _hash(content) else None


def record_written(root: Path, lock: Path) -> None:
    """Record a lock that is as DVC writes it."""
    atomic.write_text(_record(root, lock), _hash(lock.read_bytes()))


def _record(root: Path, lock: Path) -> Path:
    return state.state_folder(root) / HASHES / f"{lock.absolute().relative_to(root.absolute())}.sha256"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
