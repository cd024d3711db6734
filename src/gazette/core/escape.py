"""Texts of a corpus, escaped, and numbers with their nouns, in messages, terminals and reports."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from prefect_dvc.core.escape import escape

MAX_PLACES = 5
MAX_NAMED = 8  # classes in a sentence
MAX_FILE = 120  # characters


def is_unicode(text: str) -> bool:
    """Return whether a word of the command line could be decoded: bytes that could not are lone surrogates."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


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


def tally(number: int, noun: str, nouns: str | None = None) -> str:
    """Return a number with its noun, in the plural unless it is 1: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"
