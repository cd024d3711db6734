"""Files that are there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """The name to write to, beside `path`; at the block's end what was written gets its own, unless it raised."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    yield partial
    partial.rename(path)


def write(text: str, path: Path) -> None:
    """Writes a text in UTF-8, its line ends as they are."""
    with written(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")
