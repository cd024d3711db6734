"""Raw files without some of their rows; the other rows keep their bytes, or in Parquet their values."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import DataContractError

from gazette.core.corpus import Delimited, File, Folder, JsonArray, JsonLines, Parquet
from gazette.core.encodings import CODECS, Coding
from gazette.data.readers.compressed import only_entry
from gazette.data.readers.delimited import read_header
from gazette.data.readers.delimited_rows import iter_rows
from gazette.data.readers.instants import INT96
from gazette.data.readers.jsonarray import iter_elements
from gazette.data.readers.lines import iter_lines
from gazette.data.readers.open import open_raw
from gazette.data.readers.read import read_file
from gazette.data.readers.rows import ReadResult

WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32")  # in which a line break is several bytes
Matches = Callable[[pl.Series], pl.Series]


def find_rows(raw: Path, file: File, is_match: Matches, is_excerpt: Matches) -> list[tuple[str, int]]:
    """Return file and line of the articles whose text matches, and of the rejects of which an excerpt does."""
    places: list[tuple[str, int]] = []

    def take(part: ReadResult) -> None:
        for table, column, matches in ((part.articles, "text", is_match), (part.rejects, "seen", is_excerpt)):
            places.extend(table.filter(matches(table[column])).select("file", "line").iter_rows())

    take(read_file(file, raw, take=take))
    return places


def cut_rows(raw: Path, file: File, places: Collection[tuple[str, int]]) -> None:
    """Remove rows from a raw file, atomically; of a folder, whole files.

    Raises DataContractError, and changes nothing, if the other rows would not be read as they were.
    """
    lines = {line for _, line in places}
    if isinstance(file, Folder):
        for name in {name for name, _ in places}:
            (raw / file.path / name).unlink()
        return
    path = raw / file.path
    with atomic.atomic_path(path) as partial:
        _CUT[type(file)](raw, file, lines, partial)
        _check(raw, file, file.model_copy(update={"path": partial.name}), path.parent, lines)


def _check(raw: Path, file: Any, shorter: Any, folder: Path, lines: set[int]) -> None:
    before, after = read_file(file, raw).articles, read_file(shorter, folder).articles
    same = [name for name in before.columns if name not in ("file", "line")]
    if not before.filter(~pl.col("line").is_in(list(lines))).select(same).equals(after.select(same)):
        raise DataContractError(
            f"{raw / file.path}: without line {min(lines)}, its other rows would be read otherwise, so it was not "
            f"changed; remove the row yourself, then `dvc add {raw}`"
        )


def _cut_delimited(raw: Path, file: Delimited, lines: set[int], to: Path) -> None:
    with open_raw(raw, file.path, file.coding) as content:
        names, _ = read_header(content, raw / file.path, file.delimiter, file.quotes, file.header)
        rows = iter_rows(iter_lines(content), raw / file.path, file.delimiter, file.quotes, len(names))
        whole = {line.number for row in rows if row.lines[0].number in lines for line in row.lines}
    _cut_lines(raw, file, whole, to)


def _cut_lines(raw: Path, file: Delimited | JsonLines, lines: set[int], to: Path) -> None:
    with open_raw(raw, file.path, Coding(None, file.compression)) as content, _pack(raw, file, to) as packed:
        for number, line in enumerate(_iter_bytes(content, file.encoding), 1):
            if number not in lines:
                packed.write(line)


def _iter_bytes(content: BinaryIO, encoding: str) -> Iterator[bytes]:
    """Yield the lines of a file in its own bytes; a line break is one byte in all encodings but the wide ones."""
    if encoding not in WIDE:
        yield from content
        return
    text = content.read()
    order = "be" if text.startswith((b"\xfe\xff", b"\0\0\xfe\xff")) else "le"
    codec = encoding if encoding.endswith("e") else f"{encoding}-{order}"
    for line in io.StringIO(text.decode(codec, "surrogatepass"), newline="\n"):
        yield line.encode(codec, "surrogatepass")


def _cut_array(raw: Path, file: JsonArray, lines: set[int], to: Path) -> None:
    with open_raw(raw, file.path, file.coding) as content:
        elements = list(iter_elements(content, raw / file.path))
    if fault := next((element for element in elements if element.fault), None):
        raise DataContractError(
            f"{raw / file.path}, element {fault.number}: {fault.fault}; correct it before a row is removed"
        )
    text = ",".join(element.text for element in elements if element.number not in lines)
    with _pack(raw, file, to) as packed:
        packed.write(f"[{text}]\n".encode("utf-8" if file.encoding == "utf-8" else CODECS[file.encoding]))


def _cut_parquet(raw: Path, file: Parquet, lines: set[int], to: Path) -> None:
    about = pq.read_metadata(raw / file.path)
    has_int96 = any(about.schema.column(index).physical_type == "INT96" for index in range(about.num_columns))
    rows = _read_exactly(raw / file.path) if has_int96 else pq.read_table(raw / file.path)
    codec = about.row_group(0).column(0).compression
    mask = pa.array([number not in lines for number in range(1, rows.num_rows + 1)])
    pq.write_table(rows.filter(mask), to, compression="none" if codec == "UNCOMPRESSED" else codec.lower())


def _read_exactly(path: Path) -> pa.Table:
    """Read a table with INT96: in nanoseconds, or in microseconds if a date is beyond those."""
    table, exact = pq.read_table(path), pq.read_table(path, **INT96)
    kinds = zip(table.schema.types, exact.schema.types, strict=True)
    coerced = [column for column, (before, after) in enumerate(kinds) if before != after]
    instants = exact.select(coerced)
    return table if table.select(coerced).cast(instants.schema, safe=False).equals(instants) else exact


@contextmanager
def _pack(raw: Path, file: Delimited | JsonLines | JsonArray, to: Path) -> Iterator[IO[bytes]]:
    """Yield a file whose content is compressed as the raw file is."""
    with to.open("wb") as out, ExitStack() as stack:
        if file.compression == "zip":
            with zipfile.ZipFile(raw / file.path) as before:
                entry = only_entry(before, raw / file.path).filename
            archive = stack.enter_context(zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED))
            yield stack.enter_context(archive.open(entry, "w", force_zip64=True))
        elif file.compression is None:
            yield out
        else:
            yield stack.enter_context(_COMPRESSORS[file.compression](out))


_COMPRESSORS: dict[str, Callable[[IO[bytes]], Any]] = {
    "gzip": lambda out: gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0),
    "bzip2": lambda out: bz2.BZ2File(out, "wb"),
    "xz": lambda out: lzma.LZMAFile(out, "wb"),  # noqa: SIM115  # its caller closes it
    "zstd": lambda out: pa.CompressedOutputStream(pa.PythonFile(out, "w"), "zstd"),
}
_CUT: dict[type, Callable[..., None]] = {
    Delimited: _cut_delimited,
    JsonLines: _cut_lines,
    JsonArray: _cut_array,
    Parquet: _cut_parquet,
}
