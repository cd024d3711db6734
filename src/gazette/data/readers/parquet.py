"""Parquet, batch by batch: a row's line is its number, from 1."""

import itertools
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from prefect_dvc.core.errors import DataContractError

from gazette.core.corpus import Parquet
from gazette.core.escape import tally
from gazette.core.limits import MAX_COLUMNS, MAX_FIELD, MAX_GROWTH, MAX_ROWS
from gazette.data.readers import columns, plain
from gazette.data.readers.instants import INT96, write_instants
from gazette.data.readers.lines import encoding_fault
from gazette.data.readers.open import open_raw
from gazette.data.readers.plain import Columns
from gazette.data.readers.rows import EMPTY, ReadResult, RowCollector, Take

MAX_FOOTER = 1 << 22  # bytes; it describes each column of each row group
MAX_MEMORY = 1 << 28  # bytes that reading a batch may add, its pages and its values, and for each byte of the file:
MEMORY_PER_BYTE = 8  # so that long articles in large pages are read, and a small file that claims large ones is not
BATCH_ROWS = 1_024  # decoded by pyarrow at a time
SLICE_ROWS = 256  # converted to Python objects at a time
TOO_LONG = b"\0too long"  # replaces a value that is too long to convert


def read_parquet(
    raw: Path, file: Parquet, labeled: bool = True, take: Take | None = None, skip_empty: bool = True
) -> ReadResult:
    """Read the text columns (strings), the label (strings or integers), or dictionaries of them, and the date.

    Nulls among text columns are skipped, the rest is joined by a line break; a null label makes the row a reject.
    """
    path, wanted = raw / file.path, list(dict.fromkeys(columns.list_columns(file, labeled)))
    label, date = (file.label, file.date) if labeled else (None, None)
    rows = RowCollector(file.path, date is not None, take)
    with open_raw(raw, file.path) as content:
        parquet = _open(content, path, wanted, label, date)
        rows.unused = [column for column in parquet.schema_arrow.names if column not in wanted]
        budget = MAX_GROWTH * max(path.stat().st_size, 1 << 20)
        for batch, strings in _iter_batches(parquet, path, wanted):
            budget -= sum(map(plain.count_bytes, batch.values()))
            if budget < 0:
                raise DataContractError(
                    f"{path} decompresses to more than {MAX_GROWTH} times its size; it is not a table of news"
                )
            if strings:
                rows.accept_table(plain.join(strings, file.text, label, date, rows.rows + rows.skipped + 1))
                continue
            for start in range(0, len(batch[wanted[0]]), SLICE_ROWS):
                parts = [array.slice(start, SLICE_ROWS).to_pylist() for array in batch.values()]
                for values in zip(*parts, strict=True):
                    _add(rows, dict(zip(batch, values, strict=True)), file.text, label, date, skip_empty)
    if rows.rows == 0:
        raise DataContractError(f"{path} contains no rows; was it exported completely?")
    return rows.result()


def _iter_batches(parquet: pq.ParquetFile, path: Path, wanted: list[str]) -> Iterator[tuple[Columns, Columns | None]]:
    """Yield the columns of each batch, and the same as strings if all of their values are plain."""
    limit = MAX_MEMORY + MEMORY_PER_BYTE * path.stat().st_size
    try:
        batches = itertools.chain.from_iterable(  # a reader of several row groups remembers the texts of all of them
            parquet.iter_batches(BATCH_ROWS, [group], columns=wanted, use_threads=False)
            for group in range(parquet.num_row_groups)
        )
        while True:
            with _bounded_memory(limit):
                if (batch := next(batches, None)) is None:
                    return
                arrays = {column: write_instants(batch.column(column)) for column in wanted}
                strings = plain.find_strings(arrays)
                arrays = arrays if strings else {column: _drop_giants(array) for column, array in arrays.items()}
            yield arrays, strings
    except MemoryError:
        raise DataContractError(
            f"{path}: reading {BATCH_ROWS:,} rows takes more than {limit >> 20} MiB; write the file again with "
            "smaller pages"
        ) from None
    except (pa.ArrowException, OSError) as error:
        raise DataContractError(f"{path} cannot be read as Parquet: {error}; was it copied completely?") from None


@contextmanager
def _bounded_memory(limit: int) -> Iterator[None]:
    """Let the process allocate `limit` more bytes (where /proc shows its size), then raise MemoryError.

    A page header can claim any size, and pyarrow allocates it before it looks at the data.
    """
    size = Path("/proc/self/statm")
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if size.exists():
        used = int(size.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _drop_giants(array: pa.Array) -> pa.Array:
    """Return strings as bytes, since Arrow does not check that they are UTF-8, with TOO_LONG in place of giants."""
    if not pa.types.is_dictionary(array.type) or pa.types.is_integer(array.dictionary.type):
        return array
    values = array.dictionary.cast(pa.large_binary())
    too_long = pc.greater(pc.binary_length(values), 4 * MAX_FIELD)
    values = pc.if_else(too_long, pa.scalar(TOO_LONG, pa.large_binary()), values)
    return pa.DictionaryArray.from_arrays(array.indices, values)


def _add(
    rows: RowCollector,
    values: dict[str, Any],
    text: list[str],
    label: str | None,
    date: str | int | None,
    skip_empty: bool,
) -> None:
    line = rows.rows + rows.skipped + 1
    decoded: dict[str, str | None] = {}
    if skip_empty and label is not None and all(value is None or value == b"" for value in values.values()):
        rows.skip(EMPTY)
        return
    for column, value in values.items():
        decoded[column], fault = _decode(value)
        if fault or (column == label and value is None):
            excerpt = b" | ".join(str(v).encode() if not isinstance(v, bytes) else v for v in values.values())
            reason = f"{fault or 'null, expected a string or an integer'}, in column {column!r}"
            rows.reject(line, reason, excerpt[:1000].decode("utf-8", "backslashreplace"))
            return
    joined = "\n".join(part for column in text if (part := decoded[column]))
    rows.accept(joined, None if label is None else decoded[label], line, date=decoded.get(str(date)))


def _decode(value: Any) -> tuple[str | None, str | None]:
    """Return a value as text, or why it cannot be."""
    if value is None or isinstance(value, int):
        return (None if value is None else str(value)), None
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, encoding_fault(value, error)
    if value == TOO_LONG or len(text) > MAX_FIELD:
        return None, f"too long: more than {MAX_FIELD:,} characters"
    return (text, None) if "\0" not in text else (None, "NUL character")


def read_columns(raw: Path, name: str) -> list[str]:
    """Return the names of the columns."""
    with open_raw(raw, name) as file:
        return list(_read_footer(file, raw / name).schema_arrow.names)


def _read_footer(file: BinaryIO, path: Path) -> pq.ParquetFile:
    file.seek(max(path.stat().st_size - 8, 0))
    tail = file.read(8)
    file.seek(0)
    if file.read(4) != b"PAR1" or tail[4:] != b"PAR1":
        raise DataContractError(f"{path} is not Parquet, or was truncated: it must begin and end with PAR1")
    if int.from_bytes(tail[:4], "little") > MAX_FOOTER:
        raise DataContractError(
            f"{path}: a footer of more than {MAX_FOOTER:,} bytes; at most {MAX_COLUMNS:,} columns are read"
        )
    try:
        parquet = pq.ParquetFile(file, **INT96)
        _ = parquet.schema_arrow  # parsed on access
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataContractError(f"{path} cannot be read as Parquet: {error}; was it copied completely?") from None
    if parquet.metadata.num_columns > MAX_COLUMNS or parquet.metadata.num_rows > MAX_ROWS:
        raise DataContractError(
            f"{path} has {tally(parquet.metadata.num_columns, 'column')} and "
            f"{tally(parquet.metadata.num_rows, 'row')}; at most {MAX_COLUMNS:,} and {MAX_ROWS:,} are read"
        )
    return parquet


def _open(file: BinaryIO, path: Path, wanted: list[str], label: str | None, date: str | int | None) -> pq.ParquetFile:
    footer = _read_footer(file, path)
    types = dict(zip(footer.schema_arrow.names, footer.schema_arrow.types, strict=True))
    for column in wanted:
        columns.column_index(column, list(footer.schema_arrow.names), path, "")
        if column != date or not pa.types.is_temporal(types[column]):
            _check_type(column, types[column], column in (label, date), path)
    return pq.ParquetFile(
        file, metadata=footer.metadata, read_dictionary=wanted, pre_buffer=False, buffer_size=1 << 20, **INT96
    )


def _check_type(column: str, kind: pa.DataType, allow_integers: bool, path: Path) -> None:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_text = pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value)
    if not (is_text or (allow_integers and pa.types.is_integer(value))):
        several = allow_integers and (pa.types.is_list(value) or pa.types.is_large_list(value))
        raise DataContractError(
            f"{path}: column {column!r} has type {kind}; expected strings{' or integers' if allow_integers else ''}"
            + ("; an article has one: keep one of each list" if several else "")
        )
