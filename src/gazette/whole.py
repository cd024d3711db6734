"""Text files that are there whole or not at all."""

from pathlib import Path


def write(text: str, path: Path) -> None:
    """Writes a text in UTF-8 to a name beside `path`, then gives it its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.rename(path)
