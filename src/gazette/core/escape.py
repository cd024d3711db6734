"""Escaping of text from a corpus for messages, terminals and reports."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

MAX_SHOWN = 200  # characters
MAX_PLACES = 5
MAX_NAMED = 8  # classes in a sentence
MAX_FILE = 120  # characters


def escape(text: str, limit: int = MAX_SHOWN) -> str:
    """Return the first `limit` characters with every non-printable one as a backslash escape, such as `\\x1b`.

    Escaped are control and format characters, bidirectional overrides, spaces other than U+0020, and lone surrogates.
    """
    start = text[:limit]
    if start.isprintable():
        return start
    escaped = (c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in start)
    return "".join(escaped)[:limit]


def escape_path(path: str) -> str:
    """Return a whole path, escaped: a file name of any bytes as text that every terminal and JSON can hold."""
    return escape(path, len(path) * len("\\U0001f600"))


def escape_lines(text: str) -> str:
    """Return lines with every non-printable character but tabs escaped, each as a whole."""
    parts = re.split("([\n\t])", text)
    return "".join(part if part in ("\n", "\t") else escape(part, 10 * len(part)) for part in parts)


def quote(text: object, limit: int = 60) -> str:
    """Return a label, column or file name in quotes, escaped; a truncated one ends in an ellipsis."""
    name = str(text)
    return f"'{escape(name, limit)}{'…' if len(name) > limit else ''}'"


def format_places(rows: Iterable[Mapping[str, Any]], limit: int = MAX_PLACES) -> str:
    """Return the first rows by file, line and class, such as `news.csv, line 3, 7 ('sport'); old.csv, line 2`."""
    lines: dict[tuple[str, str | None], list[str]] = {}
    for row in list(rows)[:limit]:
        lines.setdefault((row["file"], row.get("label")), []).append(str(row["line"]))
    return "; ".join(
        f"{escape(file, MAX_FILE)}, line {', '.join(numbers)}{f' ({quote(label)})' if label else ''}"
        for (file, label), numbers in lines.items()
    )


def name_first(names: Iterable[str], limit: int = MAX_NAMED) -> str:
    """Return the first names in quotes, escaped, and how many more there are."""
    words = list(names)
    more = f" and {len(words) - limit:,} more" if len(words) > limit else ""
    return ", ".join(map(quote, words[:limit])) + more
