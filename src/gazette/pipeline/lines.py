"""Lines appended to a file by several processes, any of which may be killed at any moment."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def append(path: Path, content: bytes) -> int:
    """Append whole lines in one write and return the size of the file then; once this returns, a kill loses none.

    The part of a line that a killed process left is cut off: nobody was promised it, and it would spoil the next line.
    Raises OSError, and leaves the file as it was, if the disk is full.
    """
    with _locked(path, os.O_RDWR | os.O_APPEND | os.O_CREAT) as (descriptor, size):
        written = os.write(descriptor, content)
        if written != len(content):
            os.ftruncate(descriptor, size)
            raise OSError(f"{path}: the disk is full; {len(content)} bytes were not written")
        return size + written


def close(path: Path, to: Path) -> None:
    """Rename a file, after which nobody appends to it; raises FileNotFoundError if somebody did so before."""
    with _locked(path, os.O_RDWR):
        path.rename(to)


@contextmanager
def _locked(path: Path, flags: int) -> Iterator[tuple[int, int]]:
    """Open a file, lock it and cut off a torn line; yields its descriptor and size.

    If it was renamed between the two, open what has its name now.
    """
    while True:
        descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            status = os.fstat(descriptor)
            if _is_at(status, path):
                yield descriptor, _cut_torn(descriptor, status.st_size)
                return
        finally:
            os.close(descriptor)  # it releases the lock


def _is_at(status: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(status, path.stat())
    except FileNotFoundError:
        return False


def _cut_torn(descriptor: int, size: int) -> int:
    """Cut off what follows the last line break, and return the size."""
    end = size
    while end and os.pread(descriptor, 1, end - 1) != b"\n":
        end -= 1
    if end != size:
        os.ftruncate(descriptor, end)
    return end
