"""Atomic writes: a file is complete or absent.

Temporary names are random, so that none is that of a file of somebody else's, and all are hidden.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{32}\.partial", re.DOTALL)


def temporary_path(path: Path) -> Path:
    """Return a new path beside `path`, for a file or folder that will be renamed to it."""
    return path.with_name(f".{path.name}.{uuid4().hex}.partial")


def final_name(name: str) -> str | None:
    """Return the name that a file with this temporary name would have got; None if it is not a temporary one."""
    match = _TEMPORARY.fullmatch(name)
    return match["name"] if match else None


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` and rename it to `path` if the block succeeds, else remove it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = temporary_path(path)
    try:
        yield partial
        partial.rename(path)
    finally:
        remove(partial)  # if it still exists


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder beside `path` for what is needed to make it, and remove it in the end."""
    folder = temporary_path(path)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        remove(folder)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, atomically, with its line endings unchanged."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")


def remove(path: Path) -> None:
    """Remove a file, a symlink (not what it points to) or a folder, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError):
            path.unlink()
