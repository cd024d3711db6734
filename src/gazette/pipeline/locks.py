"""Locks on files, which the kernel releases when their process ends."""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from gazette.core.errors import ConfigError

LOCK_SECONDS = 3  # as long as DVC waits for its own
POLL_SECONDS = 0.1


@contextmanager
def file_lock(path: Path, busy: str, seconds: float | None = None) -> Iterator[None]:
    """Hold a lock on the file at `path` during the block; waits `LOCK_SECONDS`, or `seconds` (-1: forever), for it.

    Raises ConfigError with `busy` and the holder, if it signed the file, if another process holds the lock.
    """
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=LOCK_SECONDS if seconds is None else seconds, poll_interval=POLL_SECONDS)
    except filelock.Timeout:
        raise ConfigError(f"{busy}: {_holder(path)}") from None
    try:
        yield
    finally:
        lock.release()


def sign(path: Path) -> None:
    """Name this process in the file of a lock that it holds."""
    started = time.strftime("%Y-%m-%d %H:%M:%S %z")
    path.write_text(f"process {os.getpid()}, {' '.join(sys.argv)}, since {started}\n", encoding="utf-8")


def clear(path: Path) -> None:
    """Empty the file of a lock."""
    path.write_text("", encoding="utf-8")


@contextmanager
def dvc_lock(path: Path) -> Iterator[None]:
    """Hold one of DVC's own locks by `flock`, as DVC does; raises ConfigError if DVC does not release it."""
    give_up = time.monotonic() + LOCK_SECONDS
    with path.open("a+", encoding="utf-8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up:
                    raise ConfigError(f"DVC is at work in this folder, process: {_holder(path)}") from None
                time.sleep(POLL_SECONDS)
        yield


def _holder(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() or "it has just started"
