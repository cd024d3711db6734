"""Locks on files that the kernel lets go of when their process is gone; DVC's own are of this kind."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gazette.core.errors import Misconfigured

PATIENCE = 3  # seconds, as DVC waits for its own


@contextmanager
def held(path: Path, busy: str) -> Iterator[IO[str]]:
    """The file at `path`, locked against others for as long as the block lasts, open to be read and written.

    Raises Misconfigured with `busy` and what the holder wrote into it, where another process keeps it.
    """
    with path.open("a+", encoding="utf-8") as file:
        if not _taken(file):
            file.seek(0)
            raise Misconfigured(f"{busy}: {file.read().strip() or 'it has just begun'}")
        yield file


def _taken(file: IO[str]) -> bool:
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                return False
            time.sleep(0.1)
        else:
            return True
