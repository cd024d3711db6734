"""Records of an article in files of lines or rows: feedback, the journal's sample, questions, lists, tables."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
from prefect_dvc.core import atomic

from gazette.core import tables
from gazette.data.readers.delimited_rows import iter_rows
from gazette.data.readers.lines import iter_lines
from gazette.lineage.erasure.article import Article

DELIMITERS = {".csv": ",", ".tsv": "\t"}


def count_records(path: Path, article: Article) -> int | None:
    """Return how many lines or rows of a file are the article; None if it is no file of lines or rows."""
    find = _FINDERS.get(path.suffix)
    return len(find(path, article)) if find else None


def cut_records(path: Path, article: Article) -> None:
    """Remove the article's lines or rows from a file, atomically; the others stay as they are."""
    numbers = _FINDERS[path.suffix](path, article)
    if path.suffix == ".parquet":
        rows = tables.read_parquet(path)
        tables.write_parquet(path, rows.filter(~pl.int_range(1, pl.len() + 1).is_in(list(numbers))))
        return
    with atomic.atomic_path(path) as partial, path.open("rb") as lines, partial.open("wb") as rest:
        partial.chmod(path.stat().st_mode & 0o777)
        rest.writelines(line for number, line in enumerate(lines, 1) if number not in numbers)


def _find_lines(path: Path, article: Article) -> set[int]:
    """Return the numbers of JSON's lines of which a value is the article."""
    with path.open("rb") as file:
        values = [(number, text) for number, line in enumerate(file, 1) for text in _list_texts(line)]
    return _match(values, article.is_text)


def _list_texts(line: bytes) -> Iterator[str]:
    try:
        record: Any = json.loads(line)
    except (ValueError, RecursionError):
        record = line.decode("utf-8", "replace")
    parts = [record]
    while parts:
        part = parts.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict | list):
            parts.extend(part.values() if isinstance(part, dict) else part)


def _find_lines_of_rows(path: Path, article: Article) -> set[int]:
    """Return the numbers of the lines of rows of which a cell is the article, or an excerpt of it."""
    with path.open("rb") as file:
        rows = list(iter_rows(iter_lines(file), path, DELIMITERS[path.suffix], True, None))
    cells = [(place, cell.removeprefix("'")) for place, row in enumerate(rows) for cell in row.fields]
    places = _match(cells, lambda texts: article.is_text(texts) | article.is_excerpt(texts))
    return {line.number for place in places for line in rows[place].lines}


def _match(values: list[tuple[int, str]], is_match: Callable[[pl.Series], pl.Series]) -> set[int]:
    frame = pl.DataFrame(values, schema={"number": pl.Int64, "text": pl.String}, orient="row")
    return set(frame.filter(is_match(frame["text"]))["number"])


def _find_rows(path: Path, article: Article) -> set[int]:
    rows = tables.read_parquet(path).select((cs.string() | cs.categorical()).cast(pl.String))
    return {number for column in rows for number in (article.is_text(column).arg_true() + 1).to_list()}


_FINDERS: dict[str, Callable[[Path, Article], set[int]]] = {
    ".jsonl": _find_lines,
    **dict.fromkeys(DELIMITERS, _find_lines_of_rows),
    ".parquet": _find_rows,
}
