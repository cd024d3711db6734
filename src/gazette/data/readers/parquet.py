"""Parquet, batch by batch: a row's line is its number, from 1."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gazette.core.errors import BrokenContract
from gazette.core.limits import MAX_COLUMNS, MAX_FIELD, MAX_ROWS
from gazette.data.readers import columns as headers
from gazette.data.readers import parquet_pages
from gazette.data.readers.lines import not_utf8
from gazette.data.readers.open import opened
from gazette.data.readers.rows import Contents, Sheet

MAX_FOOTER = 1 << 22  # bytes; it describes each column of each row group
MAX_PAGE = 1 << 27  # bytes, unpacked; most writers end a page at one million
MAX_PAGES = 100_000
MAX_GROWTH = 50  # bytes of text for each byte of the file, or of a mebibyte; news compress to a fifth
ROWS = 4_096  # that are read at a time
STEP = 256  # of these, that are unpacked at a time
TOO_LONG = b"\0too long"  # stands for a value that is not even unpacked


def read(raw: Path, name: str, text: list[str], label: str | None) -> Contents:
    """`text` and `label` are columns; text of strings, a label of strings or whole numbers, dictionaries of them too.

    A null among several texts is left out; a label that is null makes the row a reject.
    """
    path, sheet = raw / name, Sheet(name)
    wanted = list(dict.fromkeys(text if label is None else [*text, label]))
    with opened(raw, name) as file:
        found = _opened(file, path, text, label)
        sheet.unused = [column for column in found.schema_arrow.names if column not in wanted]
        allowed = MAX_GROWTH * max(path.stat().st_size, 1 << 20)
        for batch in _batches(found, path, wanted):
            allowed -= sum(map(_size, batch.values()))
            if allowed < 0:
                raise BrokenContract(f"{path} unpacks to more than {MAX_GROWTH} times its size; it is no table of news")
            for start in range(0, len(batch[wanted[0]]), STEP):
                parts = [array.slice(start, STEP).to_pylist() for array in batch.values()]
                for values in zip(*parts, strict=True):
                    _take(sheet, dict(zip(batch, values, strict=True)), text, label)
    if sheet.rows == 0:
        raise BrokenContract(f"{path} holds no rows; was it exported whole?")
    return sheet.contents()


def _batches(found: pq.ParquetFile, path: Path, wanted: list[str]) -> Iterator[dict[str, pa.Array]]:
    try:
        for batch in found.iter_batches(ROWS, columns=wanted):
            yield {column: _without_giants(batch.column(column)) for column in wanted}
    except (pa.ArrowException, OSError) as error:
        raise BrokenContract(f"{path} cannot be read as Parquet: {error}; was it copied whole?") from None


def _without_giants(array: pa.Array) -> pa.Array:
    """Strings as bytes, for Arrow does not look whether they are UTF-8, with TOO_LONG for one that is."""
    if not pa.types.is_dictionary(array.type) or pa.types.is_integer(array.dictionary.type):
        return array
    values = array.dictionary.cast(pa.large_binary())
    long = pc.greater(pc.binary_length(values), 4 * MAX_FIELD)
    values = pc.if_else(long, pa.scalar(TOO_LONG, pa.large_binary()), values)
    return pa.DictionaryArray.from_arrays(array.indices, values)


def _size(array: pa.Array) -> int:
    """The bytes of all strings of a column."""
    if not pa.types.is_dictionary(array.type) or pa.types.is_integer(array.dictionary.type):
        return 0
    return pc.sum(pc.binary_length(array.dictionary).take(array.indices)).as_py() or 0


def _take(sheet: Sheet, values: dict[str, Any], text: list[str], label: str | None) -> None:
    line = sheet.rows + 1
    decoded: dict[str, str | None] = {}
    for column, value in values.items():
        decoded[column], fault = _decoded(value)
        if fault or (column == label and value is None):
            seen = b" | ".join(str(v).encode() if not isinstance(v, bytes) else v for v in values.values())
            reason = f"{fault or 'null, expected a label'}, in column {column!r}"
            sheet.reject(line, reason, seen[:1000].decode("utf-8", "backslashreplace"))
            return
    joined = "\n".join(part for column in text if (part := decoded[column]))
    sheet.accept(joined, None if label is None else decoded[label], line)


def _decoded(value: Any) -> tuple[str | None, str | None]:
    """A value as text, or why it cannot be."""
    if value is None or isinstance(value, int):
        return (None if value is None else str(value)), None
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, not_utf8(value, error)
    if value == TOO_LONG or len(text) > MAX_FIELD:
        return None, f"too long: more than {MAX_FIELD:,} characters"
    return (text, None) if "\0" not in text else (None, "NUL character")


def columns(raw: Path, name: str) -> list[str]:
    """The names of the columns."""
    with opened(raw, name) as file:
        return list(_described(file, raw / name)[0].schema_arrow.names)


def _described(file: BinaryIO, path: Path) -> tuple[pq.ParquetFile, int]:
    """The file as its footer describes it, and the footer's size."""
    file.seek(max(path.stat().st_size - 8, 0))
    tail = file.read(8)
    file.seek(0)
    if file.read(4) != b"PAR1" or tail[4:] != b"PAR1":
        raise BrokenContract(f"{path} is not Parquet, or was cut off: it must begin and end with PAR1")
    footer = int.from_bytes(tail[:4], "little")
    if footer > MAX_FOOTER:
        raise BrokenContract(
            f"{path}: a footer of more than {MAX_FOOTER:,} bytes; at most {MAX_COLUMNS:,} columns are read"
        )
    try:
        found = pq.ParquetFile(file)
        _ = found.schema_arrow  # is parsed when it is asked for
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BrokenContract(f"{path} cannot be read as Parquet: {error}; was it copied whole?") from None
    if found.metadata.num_columns > MAX_COLUMNS or found.metadata.num_rows > MAX_ROWS:
        raise BrokenContract(
            f"{path} has {found.metadata.num_columns:,} columns and {found.metadata.num_rows:,} rows; at most "
            f"{MAX_COLUMNS:,} and {MAX_ROWS:,} are read"
        )
    return found, footer


def _opened(file: BinaryIO, path: Path, text: list[str], label: str | None) -> pq.ParquetFile:
    found, footer = _described(file, path)
    kinds = dict(zip(found.schema_arrow.names, found.schema_arrow.types, strict=True))
    wanted = text if label is None else [*text, label]
    for column in wanted:
        headers.place(column, list(found.schema_arrow.names), path, "")
        _refuse_other_types(column, kinds[column], column == label, path)
    _refuse_giant_pages(file, footer, wanted, path)
    return pq.ParquetFile(file, metadata=found.metadata, read_dictionary=wanted, pre_buffer=False, buffer_size=1 << 20)


def _refuse_giant_pages(file: BinaryIO, footer: int, wanted: list[str], path: Path) -> None:
    file.seek(max(path.stat().st_size - 8 - footer, 0))
    try:
        for number, (column, size) in enumerate(parquet_pages.unpacked(file, file.read(footer), wanted)):
            if size > MAX_PAGE or number > MAX_PAGES:
                raise BrokenContract(
                    f"{path}: column {column!r} has a page of {size:,} bytes, or more than {MAX_PAGES:,} pages; at "
                    f"most {MAX_PAGE:,} bytes are unpacked at once: write it anew with smaller pages"
                )
    except (LookupError, TypeError, ValueError, AttributeError, OSError):
        raise BrokenContract(
            f"{path} cannot be read as Parquet: its footer does not say where its pages are; was it copied whole?"
        ) from None


def _refuse_other_types(column: str, kind: pa.DataType, whole: bool, path: Path) -> None:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_text = pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value)
    if not (is_text or (whole and pa.types.is_integer(value))):
        raise BrokenContract(
            f"{path}: column {column!r} has type {kind}; expected strings (a label may be whole numbers)"
        )
