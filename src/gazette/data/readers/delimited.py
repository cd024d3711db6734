"""Separated values, as the standard library's strict reader takes them.

A row that it refuses costs its first line and no more: reading begins anew at the next line, so that a quote that is
never closed takes no neighbour with it. A field has at most MAX_FIELD characters and a row MAX_LINE, which bounds how
far such a quote is followed; a file in which this happens over and over is refused.

Rules for what RFC 4180 leaves open: a quote inside a field that does not begin with one is an ordinary character, and
counted; blank lines are skipped, and counted; lines end in LF or CRLF, those that end otherwise than the first are
counted, and a bare carriage return outside quotes makes a row a reject; in a file of CRLF lines, CRLF inside a text is
LF; columns that nothing reads are named in the account.
"""

import csv
from collections import Counter, deque
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from gazette.core.errors import BrokenContract
from gazette.core.limits import MAX_COLUMNS, MAX_FIELD, MAX_LINE, MAX_ROWS
from gazette.data.readers import columns
from gazette.data.readers.lines import TOO_LONG, Line, lines
from gazette.data.readers.open import opened, refuse_other_kinds
from gazette.data.readers.rows import Contents, Sheet

SAMPLE = 100  # rows whose commonest width is the width of a file without a header
AGAIN = 4  # times its size that a file may be read again after quotes that are never closed


class Row(NamedTuple):
    """The lines of a row and its fields, or the reason why it has none."""

    lines: list[Line]
    fields: list[str]
    fault: str | None


def read(
    raw: Path, name: str, delimiter: str, quotes: bool, header: bool, text: list[str | int], label: str | int | None
) -> Contents:
    """A column is a name of the header or, without one, a position from 1; text columns are joined by a line break.

    Raises BrokenContract where the file as a whole is not what it is described as.
    """
    path, sheet = raw / name, Sheet(name)
    with opened(raw, name) as file:
        refuse_other_kinds(file, path)
        names, crlf = first_row(file, path, delimiter, quotes, header)
        wanted = text if label is None else [*text, label]
        places = [columns.place(column, names, path, delimiter) for column in wanted]
        sheet.unused = [str(column) for number, column in enumerate(names) if number not in places]
        found = rows(lines(file), path, delimiter, quotes, len(names))
        if header:
            next(row for row in found if row.fields)
        parts, last = places[: len(text)], places[-1]
        for row in found:
            fields = row.fields
            if row.fault or fields == names:
                _reject(sheet, row, path)
            elif not fields:
                sheet.note("blank lines, skipped")
            else:
                joined = fields[parts[0]] if len(parts) == 1 else "\n".join(filter(None, (fields[p] for p in parts)))
                if crlf:
                    joined = joined.replace("\r\n", "\n")
                if row.lines[-1].text.endswith("\n") and row.lines[-1].text.endswith("\r\n") != crlf:
                    sheet.note("rows whose line end is not the first row's")
                if quotes and '"' in joined and _has_stray_quotes(row):
                    sheet.note("rows with quotes inside a field that is not quoted, kept as they are")
                if not quotes and any(field[:1] == field[-1:] == '"' and len(field) > 1 for field in fields):
                    sheet.note("rows with a field in double quotes, kept with them (`quotes: false`)")
                sheet.accept(joined, None if label is None else fields[last], row.lines[0].number)
            if sheet.rows > MAX_ROWS:
                raise BrokenContract(f"{path} has more than {MAX_ROWS:,} rows; split it into several files")
    if sheet.rows == 0:
        raise BrokenContract(f"{path} holds no rows{' below its header' if header else ''}; was it exported whole?")
    return sheet.contents()


def first_row(
    file: BinaryIO, path: Path, delimiter: str, quotes: bool, header: bool
) -> tuple[list[str] | list[int], bool]:
    """The columns, by name or by position, and whether lines end in CRLF; leaves the file at its start."""
    found = (row for row in rows(lines(file), path, delimiter, quotes, None) if row.fields or row.fault)
    first = next(found, None)
    if not first:
        raise BrokenContract(f"{path} holds nothing but blank lines")
    crlf = first.lines[-1].text.endswith("\r\n")
    if header and first.fault:
        raise BrokenContract(f"{path}, line {first.lines[0].number}: the header cannot be read: {first.fault}")
    widths = Counter(len(row.fields) for row in islice(chain([first], found), 1 if header else SAMPLE) if row.fields)
    file.seek(0)
    if not widths:
        raise BrokenContract(f"{path}, line {first.lines[0].number}: no row can be read. The first: {first.fault}")
    return first.fields if header else list(range(1, 1 + widths.most_common(1)[0][0])), crlf


def rows(source: Iterator[Line], path: Path, delimiter: str, quotes: bool, width: int | None) -> Iterator[Row]:
    """Every row; one that cannot be parsed, or has another number of fields than `width`, is its first line alone."""
    csv.field_size_limit(MAX_FIELD)
    waiting: deque[Line] = deque()
    taken: list[Line] = []
    size, furthest, patience = 0, 0, 32 * MAX_LINE

    def feed() -> Iterator[str]:
        nonlocal size, furthest, patience
        while size < MAX_LINE and (line := waiting.popleft() if waiting else next(source, None)):
            taken.append(line)
            size += len(line.text)
            if line.number > furthest:
                furthest = line.number
                patience += AGAIN * len(line.text)
            if line.fault == TOO_LONG and len(taken) > 1:
                return
            yield "\n" if line.fault == TOO_LONG else line.text

    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    more = True
    while more:
        reader = csv.reader(feed(), delimiter=delimiter, quoting=quoting, strict=True)
        fault = None
        while more and not fault:
            taken.clear()
            size = 0
            try:
                fields = next(reader, None)
            except csv.Error as error:
                fault = _meaning(str(error), taken)
                break
            if fields is None:
                more = False
            elif bad := next((line for line in taken if line.fault), None):
                yield Row([bad, *taken], [], bad.fault)
            elif not fields or (len(fields) == 1 and not fields[0].strip()):
                yield Row(list(taken), [], None)
            elif width is not None and len(fields) != width:
                fault = _other_width(fields, width, taken, delimiter)
            elif len(fields) > MAX_COLUMNS:
                fault = f"{len(fields):,} columns; at most {MAX_COLUMNS:,} are read"
            else:
                yield Row(list(taken), fields, None)
        if fault:
            yield Row(taken[:1], [], taken[0].fault or fault)
            waiting.extendleft(reversed(taken[1:]))
            patience -= size
        if patience < 0:
            raise BrokenContract(
                f"{path}, line {taken[0].number}: quotes are opened and never closed, here and again and again before; "
                "if quotes are ordinary characters in this file, say `quotes: false`"
            )


def _meaning(error: str, taken: list[Line]) -> str:
    if "expected after" in error:
        slashes = any('\\"' in line.text for line in taken)
        cure = "by doubling it, not by a backslash" if slashes else "by doubling it"
        if len(taken) > 1:
            next_one = f"the next one is in line {taken[-1].number}, with text after it"
            return f"a quote that is never closed ({next_one}; a quote inside quotes is written {cure})"
        return f"text after a closing quote (a quote inside quotes is written {cure})"
    if "unexpected end" in error or ("limit" in error and len(taken) > 1):
        return f"a quote that is never closed (within {MAX_FIELD:,} characters)"
    if "limit" in error:
        return f"field too long: more than {MAX_FIELD:,} characters"
    return "a bare carriage return outside quotes (save the file with LF or CRLF, or quote the field)"


def _other_width(fields: list[str], width: int, taken: list[Line], delimiter: str) -> str:
    if len(fields) > width:
        cure = f"is a {delimiter!r} in a text not quoted?"
    elif not taken[-1].text.endswith("\n"):
        cure = "the file ends here: was it cut off?"
    else:
        cure = "is a column missing, or a line break in a text not quoted?"
    return f"{len(fields)} {'field' if len(fields) == 1 else 'fields'}, expected {width} ({cure})"


def _reject(sheet: Sheet, row: Row, path: Path) -> None:
    line = row.lines[0]
    if line.text.startswith(("<<<<<<< ", ">>>>>>> ")):
        raise BrokenContract(
            f"{path}, line {line.number}: the mark of a merge conflict; resolve it: {line.text[:60]!r}"
        )
    sheet.reject(line.number, row.fault or "the header again: were files joined?", line.text.rstrip("\r\n"))


def _has_stray_quotes(row: Row) -> bool:
    written = "".join(line.text for line in row.lines)
    quoted = (f'"{field.replace(chr(34), chr(34) * 2)}"' for field in row.fields if '"' in field)
    return any(field not in written for field in quoted)
