"""Atomic writes: a file is complete or absent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` and rename it to `path` if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    yield partial
    partial.rename(path)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, atomically, with its line endings unchanged."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")
