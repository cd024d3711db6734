"""Separated values, as the standard library's strict reader parses them.

If a row cannot be parsed, only its first line is rejected: reading starts again at the next line, so that an unclosed
quote does not swallow its neighbors. A field has at most MAX_FIELD characters and a row MAX_LINE, which bounds how far
such a quote is followed. A file in which this happens again and again is refused.

Where RFC 4180 is silent: a quote inside an unquoted field is an ordinary character, and counted; blank lines, and rows
whose fields are all empty, are skipped and counted; lines end in LF or CRLF, those that end unlike the first are
counted, and a bare carriage return outside quotes makes a row a reject; in a file of CRLF lines, CRLF inside a text
becomes LF.
"""

import csv
from collections import Counter, deque
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from gazette.core.encodings import PLAIN, Coding
from gazette.core.errors import DataContractError
from gazette.core.limits import MAX_COLUMNS, MAX_FIELD, MAX_LINE
from gazette.data.readers.columns import column_index
from gazette.data.readers.lines import TOO_LONG, Line, iter_lines
from gazette.data.readers.open import check_kind, open_raw
from gazette.data.readers.rows import EMPTY, WHITE, ReadResult, RowCollector

SAMPLE_ROWS = 100  # whose most common width is the width of a file without a header
NONCHARACTER = "\ufdd0"  # stands for a delimiter of several characters while a row is parsed; no text has it
MAX_REREADS = 4  # times its size that a file may be read again after unclosed quotes


class Row(NamedTuple):
    """The lines of a row and its fields, or the reason why it has none."""

    lines: list[Line]
    fields: list[str]
    fault: str | None


def read_delimited(
    raw: Path,
    name: str,
    delimiter: str,
    quotes: bool,
    header: bool,
    text: list[str | int],
    label: str | int | None,
    coding: Coding = PLAIN,
) -> ReadResult:
    """Read the columns `text`, joined by a line break, and `label`: names of the header, or positions from 1.

    Raises DataContractError if the file as a whole does not match its description.
    """
    path, rows = raw / name, RowCollector(name)
    with open_raw(raw, name, coding) as file:
        check_kind(file, path)
        names, crlf = read_header(file, path, delimiter, quotes, header)
        wanted = text if label is None else [*text, label]
        indices = [column_index(column, names, path, delimiter) for column in wanted]
        rows.unused = [str(column) for index, column in enumerate(names) if index not in indices]
        parsed = iter_rows(iter_lines(file), path, delimiter, quotes, len(names))
        if header:
            next(row for row in parsed if row.fields)
        for row in parsed:
            if row.fault or row.fields == names:
                _reject(rows, row, path)
            elif not row.fields:
                rows.skip(EMPTY if row.lines[0].text.strip(" \r\n") else "blank lines, skipped")
            else:
                joined = "\n".join(filter(None, (row.fields[index] for index in indices[: len(text)])))
                if crlf:
                    joined = joined.replace("\r\n", "\n")
                _note_oddities(rows, row, joined, crlf, quotes)
                rows.accept(joined, None if label is None else row.fields[indices[-1]], row.lines[0].number)
    if rows.rows == 0:
        raise DataContractError(
            f"{path} contains no rows{' below its header' if header else ''}; was it exported completely?"
        )
    return rows.result()


def _note_oddities(rows: RowCollector, row: Row, text: str, crlf: bool, quotes: bool) -> None:
    if row.lines[-1].text.endswith("\n") and row.lines[-1].text.endswith("\r\n") != crlf:
        rows.note("rows whose line end is not the first row's")
    if quotes and '"' in text and _has_stray_quotes(row):
        rows.note("rows with quotes inside a field that is not quoted, kept as they are")
    if not quotes and any(field[:1] == field[-1:] == '"' and len(field) > 1 for field in row.fields):
        rows.note("rows with a field in double quotes, kept with them (`quotes: false`)")


def read_header(
    file: BinaryIO, path: Path, delimiter: str, quotes: bool, header: bool
) -> tuple[list[str] | list[int], bool]:
    """Return the columns (names or positions) and whether lines end in CRLF; leaves the file at its start."""
    parsed = (row for row in iter_rows(iter_lines(file), path, delimiter, quotes, None) if row.fields or row.fault)
    first = next(parsed, None)
    if not first:
        raise DataContractError(f"{path} contains nothing but blank lines")
    crlf = first.lines[-1].text.endswith("\r\n")
    if header and first.fault:
        raise DataContractError(f"{path}, line {first.lines[0].number}: the header cannot be read: {first.fault}")
    sample = islice(chain([first], parsed), 1 if header else SAMPLE_ROWS)
    widths = Counter(len(row.fields) for row in sample if row.fields)
    file.seek(0)
    if not widths:
        raise DataContractError(f"{path}, line {first.lines[0].number}: no row can be read. The first: {first.fault}")
    return first.fields if header else list(range(1, 1 + widths.most_common(1)[0][0])), crlf


def iter_rows(source: Iterator[Line], path: Path, delimiter: str, quotes: bool, width: int | None) -> Iterator[Row]:
    """Yield every row; one that cannot be parsed, or does not have `width` fields, is its first line alone."""
    csv.field_size_limit(MAX_FIELD)
    mark = delimiter if len(delimiter) == 1 else NONCHARACTER
    pending: deque[Line] = deque()
    taken: list[Line] = []
    size, furthest, budget = 0, 0, 32 * MAX_LINE

    def feed() -> Iterator[str]:
        nonlocal size, furthest, budget
        while size < MAX_LINE and (line := pending.popleft() if pending else next(source, None)):
            taken.append(line)
            size += len(line.text)
            if line.number > furthest:
                furthest = line.number
                budget += MAX_REREADS * len(line.text)
            if line.fault == TOO_LONG and len(taken) > 1:
                return
            yield "\n" if line.fault == TOO_LONG else line.text.replace(delimiter, mark)

    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    more = True
    while more:
        reader = csv.reader(feed(), delimiter=mark, quoting=quoting, strict=True)
        fault = None
        while more and not fault:
            taken.clear()
            size = 0
            try:
                fields = next(reader, None)
                if fields and mark != delimiter:
                    fields = [field.replace(mark, delimiter) for field in fields]
            except csv.Error as error:
                fault = _explain(str(error), taken)
                break
            if fields is None:
                more = False
            elif faulty := next((line for line in taken if line.fault), None):
                yield Row([faulty, *taken], [], faulty.fault)
            elif len(fields) <= MAX_COLUMNS and not any(field.strip(WHITE) for field in fields):
                yield Row(list(taken), [], None)
            elif width is not None and len(fields) != width:
                fault = _explain_width(fields, width, taken, delimiter)
            elif len(fields) > MAX_COLUMNS:
                fault = f"{len(fields):,} columns; at most {MAX_COLUMNS:,} are read"
            else:
                yield Row(list(taken), fields, None)
        if fault:
            yield Row(taken[:1], [], taken[0].fault or fault)
            pending.extendleft(reversed(taken[1:]))
            budget -= size
        if budget < 0:
            raise DataContractError(
                f"{path}, line {taken[0].number}: unclosed quotes, here and many times before; "
                "if quotes are ordinary characters in this file, set `quotes: false`"
            )


def _explain(error: str, taken: list[Line]) -> str:
    if "expected after" in error:
        backslashes = any('\\"' in line.text for line in taken)
        remedy = "by doubling it, not by a backslash" if backslashes else "by doubling it"
        if len(taken) > 1:
            next_quote = f"the next one is in line {taken[-1].number}, with text after it"
            return f"a quote that is never closed ({next_quote}; a quote inside quotes is written {remedy})"
        return f"text after a closing quote (a quote inside quotes is written {remedy})"
    if "unexpected end" in error or ("limit" in error and len(taken) > 1):
        return f"a quote that is never closed (within {MAX_FIELD:,} characters)"
    if "limit" in error:
        return f"field too long: more than {MAX_FIELD:,} characters"
    return "a bare carriage return outside quotes (save the file with LF or CRLF, or quote the field)"


def _explain_width(fields: list[str], width: int, taken: list[Line], delimiter: str) -> str:
    if len(fields) > width:
        hint = f"is a {delimiter!r} in a text not quoted?"
    elif not taken[-1].text.endswith("\n"):
        hint = "the file ends here: was it truncated?"
    else:
        hint = "is a column missing, or a line break in a text not quoted?"
    return f"{len(fields)} {'field' if len(fields) == 1 else 'fields'}, expected {width} ({hint})"


def _reject(rows: RowCollector, row: Row, path: Path) -> None:
    line = row.lines[0]
    if line.text.startswith(("<<<<<<< ", ">>>>>>> ")):
        raise DataContractError(
            f"{path}, line {line.number}: a merge conflict marker; resolve the conflict: {line.text[:60]!r}"
        )
    rows.reject(line.number, row.fault or "the header again: were files concatenated?", line.text.rstrip("\r\n"))


def _has_stray_quotes(row: Row) -> bool:
    written = "".join(line.text for line in row.lines)
    quoted = (f'"{field.replace(chr(34), chr(34) * 2)}"' for field in row.fields if '"' in field)
    return any(field not in written for field in quoted)
