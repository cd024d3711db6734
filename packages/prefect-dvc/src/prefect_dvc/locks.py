"""Locks on files, which the kernel releases when their process ends."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from prefect_dvc.core.errors import ConfigError

LOCK_SECONDS = 3  # as long as DVC waits for its own
POLL_SECONDS = 0.1


@contextmanager
def file_lock(path: Path, busy: str, seconds: float | None = None) -> Iterator[None]:
    """Hold a lock on the file at `path` during the block; waits `LOCK_SECONDS`, or `seconds` (-1: forever), for it.

    It is a `flock`, as DVC's own locks are. Raises ConfigError with `busy` and the holder, if it signed the file, if
    another process holds the lock.
    """
    timeout = LOCK_SECONDS if seconds is None else seconds
    try:
        lock = filelock.FileLock(path).acquire(timeout=timeout, poll_interval=POLL_SECONDS)
    except filelock.Timeout:
        raise ConfigError(f"{busy}: {path.read_text(encoding='utf-8').strip() or 'it has just started'}") from None
    with lock:
        yield


@contextmanager
def signed(path: Path) -> Iterator[None]:
    """Name this process in the file of a lock that it holds; the name stays if the block does not end by itself."""
    started = time.strftime("%Y-%m-%d %H:%M:%S %z")
    signature = f"process {os.getpid()}, {' '.join(sys.argv)}, since {started}\n"
    path.write_text(signature, encoding="utf-8", errors="backslashreplace")  # a name may have any bytes
    yield
    path.write_text("", encoding="utf-8")
