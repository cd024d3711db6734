"""Files of separated values: the header, the columns that are read, and what is counted of the others.

Where RFC 4180 is silent: a quote inside an unquoted field is an ordinary character, and counted; blank lines, and rows
whose fields are all empty, are skipped and counted (of new articles such a row is an empty text, since each row gets an
answer); lines end in LF or CRLF, and those that end unlike the first are
counted; in a file of CRLF lines, CRLF inside a text becomes LF.
"""

from collections import Counter
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from prefect_dvc.core.errors import DataContractError

from gazette.core.corpus import Delimited
from gazette.data.readers.columns import column_index, list_columns
from gazette.data.readers.delimited_rows import Row, iter_rows
from gazette.data.readers.lines import iter_lines
from gazette.data.readers.open import check_kind, open_raw
from gazette.data.readers.rows import EMPTY, ReadResult, RowCollector, Take

SAMPLE_ROWS = 100  # whose most common width is the width of a file without a header


def read_delimited(
    raw: Path, file: Delimited, labeled: bool = True, take: Take | None = None, skip_empty: bool = True
) -> ReadResult:
    """Read the text columns, joined by a line break, and the label: names of the header, or positions from 1.

    Raises DataContractError if the file as a whole does not match its description.
    """
    path, quotes = raw / file.path, file.quotes
    rows = RowCollector(file.path, labeled and file.date is not None, take)
    with open_raw(raw, file.path, file.coding) as content:
        check_kind(content, path)
        names, crlf = read_header(content, path, file.delimiter, quotes, file.header)
        indices = [column_index(column, names, path, file.delimiter) for column in list_columns(file, labeled)]
        rows.unused = [str(column) for index, column in enumerate(names) if index not in indices]
        parsed = iter_rows(iter_lines(content), path, file.delimiter, quotes, len(names))
        if file.header:
            next(row for row in parsed if row.fields)
        header = [_plain(str(name)) for name in names] if file.header else []
        for row in parsed:
            if row.fault or row.fields == names or _is_header(row.fields, header):
                _reject(rows, row, path)
            elif not row.lines[0].text.strip(" \r\n"):
                rows.skip("blank lines, skipped")
            elif labeled and skip_empty and not row.fields:
                rows.skip(EMPTY)
            else:
                fields = row.fields or [""] * len(names)
                joined = "\n".join(filter(None, (fields[index] for index in indices[: len(file.text)])))
                if crlf:
                    joined = joined.replace("\r\n", "\n")
                _note_oddities(rows, row, joined, crlf, quotes)
                label = fields[indices[-1]] if labeled else None
                date = fields[indices[len(file.text)]] if rows.is_dated else None
                rows.accept(joined, label, row.lines[0].number, date=date)
    if rows.rows == 0:
        raise DataContractError(
            f"{path} contains no rows{' below its header' if file.header else ''}; was it exported completely?"
        )
    return rows.result()


def _is_header(fields: list[str], header: list[str]) -> bool:
    """Check whether a row is the header but for case, spaces and a byte order mark; a column alone may hold a text."""
    if len(header) < 2 or len(fields) != len(header) or len(fields[0]) > len(header[0]) + 8:
        return False  # most rows: before their texts are copied
    return [_plain(field) for field in fields] == header


def _plain(name: str) -> str:
    return name.strip("\ufeff ").casefold()


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
