"""The dialect of a file of separated values: delimiter, quoting and header.

Each candidate parses a sample with the reader of `gazette.data.readers`, so what is detected is what will be read.
"""

import re
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.core.corpus import Delimited
from gazette.core.dates import UNDECIDED
from gazette.core.escape import quote
from gazette.data.header import is_numbered, names_numbers
from gazette.data.readers.columns import DELIMITERS, Columns, check_columns
from gazette.data.readers.delimited import read_header
from gazette.data.readers.delimited_rows import Row, iter_rows
from gazette.data.readers.lines import iter_lines
from gazette.data.separators import delimiters_of

LONE_COLUMN = 10  # a lone column must do without one reject in this many rows, or whole lines pass for texts
MIN_QUOTED = 2  # fields in quotes that show how a file quotes; one alone may be a quotation
ONE_CUT_OFF = 5  # fields in quotes beside which one without its last quote proves nothing
QUOTED_SHARE = 0.99  # of a column's fields in quotes, from which the quotes are not part of the text


class Dialect(NamedTuple):
    """A candidate and its parse of the sample."""

    delimiter: str
    quotes: bool
    rows: list[list[str]]
    rejects: int
    labels: list[str]
    classes: int  # distinct labels; 0 without labels
    shows_quotes: bool  # some fields show that their quotes are not part of the text


def detect_dialect(
    sample: bytes, path: Path, columns: Columns, delimiter: str | None = None, header: bool | None = None
) -> Delimited:
    """Detect how the sample of a file is delimited and quoted, and its header; without one, columns are positions.

    Raises ConfigError if a column is missing or the first row looks like a header, DataContractError if no delimiter
    fits.
    """
    are_numbers, is_open = all(re.fullmatch(r"[0-9]+", column) for column in columns.all), header is None
    delimiters = [delimiter] if delimiter else [*DELIMITERS, *delimiters_of(sample)]
    if header is None:
        header = not are_numbers or names_numbers(sample, path, columns, delimiters)
    elif not header and not are_numbers:
        raise ConfigError(f"{path}: without a header, {' and '.join(columns.options)} are positions, from 1")
    wanted: list[str | int] = [column if header else int(column) for column in columns.all]
    if 0 in wanted:
        raise ConfigError(f"{path}: columns are counted from 1, but {' or '.join(columns.options)} is 0")
    parses = [
        _parse(sample, delimiter, quotes, wanted, columns) for delimiter in delimiters for quotes in (True, False)
    ]
    candidates = [parse for parse in parses if parse]
    if not candidates:
        headers = [read_header(BytesIO(sample), path, delimiter, True, header)[0] for delimiter in delimiters]
        check_columns(max(headers, key=len), path, columns)
        raise DataContractError(f"{path} can be read with none of the delimiters {', '.join(map(quote, delimiters))}")
    best = min(candidates, key=lambda candidate: _rank(candidate, candidates))
    if not header and is_open and columns.label is not None:
        _check_no_header(best, path, columns)
    return Delimited(
        format="csv",
        path=path.name,
        delimiter=best.delimiter,
        quotes=best.quotes,
        header=header,
        text=wanted[: len(columns.text)],
        label=wanted[-1],
        date=None if columns.date is None else wanted[len(columns.text)],
        date_format=columns.date and UNDECIDED,
    )


def _parse(sample: bytes, delimiter: str, quotes: bool, wanted: list[str | int], columns: Columns) -> Dialect | None:
    """Parse the sample; None if columns are missing, or if all fields of a column would keep their quotes."""
    header = isinstance(wanted[-1], str)
    try:
        names, _ = read_header(BytesIO(sample), Path(), delimiter, quotes, header)
        if not set(wanted) <= set(names):
            return None
        rows = list(iter_rows(iter_lines(BytesIO(sample)), Path(), delimiter, quotes, len(names)))
    except DataContractError:
        return None
    fields = [row.fields for row in rows if row.fields][header:]
    if not quotes and any(map(_are_quoted, zip(*fields, strict=True))):
        return None
    last = names.index(wanted[-1])  # type: ignore[arg-type]
    rejects, labels = sum(bool(row.fault) for row in rows), [row[last] for row in fields]
    if len(names) == 1 and not header:
        rejects += 1 + len(rows) // LONE_COLUMN
    classes = len(set(labels)) if columns.label is not None and columns.role == "label" else 0
    shows_quotes = any(map(_doubles_quotes, rows)) if quotes else _quotes_where_needed(fields)
    return Dialect(delimiter, quotes, fields, rejects, labels, classes, shows_quotes)


def _doubles_quotes(row: Row) -> bool:
    quoted = ['"{}"'.format(field.replace('"', '""')) for field in row.fields if '"' in field]
    written = "".join(line.text for line in row.lines) if quoted else ""
    return any(field in written for field in quoted)


def _quotes_where_needed(rows: list[list[str]]) -> bool:
    """Tell whether the fields with a comma or a quote in them, and no others, stand in quotes, as Excel writes them."""
    fields = [field for row in rows for field in row]
    quoted = [field[1:-1] for field in fields if _is_quoted(field)]
    bare = [field for field in fields if not _is_quoted(field)]
    return len(quoted) >= MIN_QUOTED and all(map(_needs_quotes, quoted)) and not any(map(_needs_quotes, bare))


def _needs_quotes(field: str) -> bool:
    return "," in field or '"' in field


def _is_quoted(field: str) -> bool:
    return len(field) > 1 and field[0] == field[-1] == '"'


def _are_quoted(column: tuple[str, ...]) -> bool:
    """Tell whether nearly all fields stand in quotes; one may be cut off, as at the end of a truncated file."""
    quoted = sum(map(_is_quoted, column))
    return quoted >= QUOTED_SHARE * len(column) or quoted == len(column) - 1 >= ONE_CUT_OFF


def _rank(candidate: Dialect, candidates: list[Dialect]) -> tuple[int, bool, bool, int, int]:
    """Prefer fewest rejects, then usual quoting, no part of a delimiter, fewest labels, and what is rarest in texts.

    Between tabs fields are seldom quoted, unless a doubled quote inside quotes, or Excel's way of quoting, shows it.
    """
    quotes = candidate.delimiter != "\t" or any(parse.shows_quotes for parse in candidates if parse.delimiter == "\t")
    many = candidate.rows and len(candidate.rows[0]) > 1
    order = "\t|;," if many else ",\t|;"  # a lone column is quoted where it contains commas
    is_part = any(
        candidate.delimiter in longer.delimiter for longer in candidates if longer.delimiter != candidate.delimiter
    )
    rarity = order.find(candidate.delimiter) if candidate.delimiter in DELIMITERS else len(order)
    return candidate.rejects, candidate.quotes != quotes, is_part, candidate.classes, rarity


def _check_no_header(best: Dialect, path: Path, columns: Columns) -> None:
    first, rest = best.labels[0], Counter(best.labels[1:])
    is_unique = bool(rest) and first not in rest and min(rest.values()) > 1
    is_word = bool(rest) and not first.isdecimal() and all(label.isdecimal() for label in rest)
    if is_numbered(best.rows, [int(column) - 1 for column in columns.text]):
        listed = ", ".join(map(quote, best.rows[0][:20]))
        raise ConfigError(
            f"{path}, line 1 looks like a header of numbers ({listed}): with --header, {' and '.join(columns.options)} "
            "name its columns; with --no-header it is an article"
        )
    if columns.role != "label" and is_word:
        raise ConfigError(f"{path}, line 1 looks like a header: name its columns, not their positions")
    if columns.role != "label" or not (is_unique or is_word):
        return
    *text, label = (best.rows[0][int(column) - 1] for column in (*columns.text, columns.last))
    options = [f"{columns.option}text {quote(name)}" for name in text]
    names = " ".join([*options, f"{columns.option}label {quote(label)}"])
    remedy = f"Name its columns ({'--header ' if label.isdecimal() else ''}{names})"
    raise ConfigError(
        f"{path}, line 1 looks like a header: the label {quote(label)} is in no other line. {remedy}; if it is an "
        "article, it is the only one of its class and cannot be learned from"
    )
