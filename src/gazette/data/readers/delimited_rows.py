"""Rows of separated values, as the standard library's strict reader parses them.

If a row cannot be parsed, only its first line is rejected: reading starts again at the next line, so that an unclosed
quote does not swallow its neighbors. A field has at most MAX_FIELD characters and a row MAX_LINE, which bounds how far
such a quote is followed. A file in which this happens again and again is refused. A bare carriage return outside quotes
makes a row a reject.
"""

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from prefect_dvc.core.errors import DataContractError

from gazette.core.limits import MAX_COLUMNS, MAX_FIELD, MAX_LINE
from gazette.data.readers.lines import TOO_LONG, Line
from gazette.data.readers.rows import WHITE

NONCHARACTER = "\ufdd0"  # stands for a delimiter of several characters while a row is parsed; no text has it
MAX_REREADS = 4  # times its size that a file may be read again after unclosed quotes


class Row(NamedTuple):
    """The lines of a row and its fields, or the reason why it has none."""

    lines: list[Line]
    fields: list[str]
    fault: str | None


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
