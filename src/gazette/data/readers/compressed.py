"""Compressed files, unpacked a chunk at a time and within bounds: a small file may claim to be a very large one."""

import bz2
import gzip
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from prefect_dvc.core.errors import DataContractError

from gazette.core.encodings import Compression
from gazette.core.escape import quote
from gazette.core.limits import MAX_BYTES, MAX_GROWTH
from gazette.data.readers.streams import CHUNK

MAGIC: dict[bytes, Compression] = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    **{bytes([first]) + b"\x2a\x4d\x18": "zstd" for first in range(0x50, 0x60)},  # a skippable frame, as of pzstd
    b"PK\x03\x04": "zip",
}
MAX_XZ_MEMORY = 1 << 27  # bytes of its dictionary; `xz -9` takes half
JUNK = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")  # what systems add to archives


def detect_compression(head: bytes) -> Compression | None:
    """Return how a file is compressed, by its first bytes."""
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)


def unpack(file: BinaryIO, path: Path, compression: Compression) -> Iterator[bytes]:
    """Yield the content from its start; raises DataContractError if it is damaged, or grows beyond its bounds."""
    file.seek(0)
    budget = min(MAX_BYTES, MAX_GROWTH * max(path.stat().st_size, 1 << 20))
    try:
        for chunk in _chunks(file, path, compression):
            budget -= len(chunk)
            if budget < 0:
                raise DataContractError(
                    f"{path} decompresses to more than {MAX_GROWTH} times its size, or {MAX_BYTES >> 30} GiB; it is "
                    "not a table of news"
                )
            yield chunk
    except (
        OSError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise DataContractError(
            f"{path} cannot be unpacked ({compression}): {error}; was it copied completely?"
        ) from None


def _chunks(file: BinaryIO, path: Path, compression: Compression) -> Iterator[bytes]:
    if compression == "xz":
        yield from _unpack_xz(file)
        return
    with _open(file, path, compression) as unpacked:
        while chunk := unpacked.read(CHUNK):
            yield bytes(chunk)


def _open(file: BinaryIO, path: Path, compression: Compression) -> IO[bytes]:
    if compression == "gzip":
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if compression == "bzip2":
        return bz2.BZ2File(file)
    if compression == "zip":
        archive = zipfile.ZipFile(file)
        return archive.open(only_entry(archive, path))
    import pyarrow as pa

    copy = os.fdopen(os.dup(file.fileno()), "rb")  # which pyarrow closes
    return pa.CompressedInputStream(pa.PythonFile(copy, "r"), "zstd")  # type: ignore[no-any-return]


def _unpack_xz(file: BinaryIO) -> Iterator[bytes]:
    """Unpack streams that follow each other, with a bound on memory that `lzma.open` does not have."""
    decoder = lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=MAX_XZ_MEMORY)
    data = file.read(CHUNK)
    while data or not decoder.eof:
        if decoder.eof:
            decoder, data = lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=MAX_XZ_MEMORY), data.lstrip(b"\0")
            if not data:
                return
        yield decoder.decompress(data, CHUNK)
        data = decoder.unused_data
        if decoder.eof:
            data = data or file.read(CHUNK)
        elif decoder.needs_input:
            data = file.read(CHUNK)
            if not data:
                raise EOFError("the file ends before its content")


def only_entry(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    """Return the one file of an archive; raises DataContractError if it has several, or is an office document."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_junk(entry.filename)]
    names = [entry.filename for entry in entries]
    if kind := _name_document(names):
        raise DataContractError(f"{path} is {kind} in UTF-8")
    if len(entries) != 1:
        listed = f": {', '.join(map(quote, names[:5]))}" if names else ""
        raise DataContractError(
            f"{path} is a zip archive of {len(entries):,} files{listed}; only one with one file is read: unpack it"
        )
    return entries[0]


def _name_document(names: list[str]) -> str | None:
    """Return what an archive is that an office program wrote, and as what it is to be saved, or None."""
    if "[Content_Types].xml" in names and any(name.startswith("word/") for name in names):
        return "a Word document; save it as plain text"
    table = None
    if "[Content_Types].xml" in names:
        table = "an Excel workbook" if any(name.startswith("xl/") for name in names) else "an Office document"
    elif {"mimetype", "content.xml"} <= set(names):
        table = "an OpenDocument file"
    elif "Index/Document.iwa" in names:
        table = "an Apple Numbers or Pages document"
    return table and f"{table}, not separated values; save the sheet as CSV"


def _is_junk(name: str) -> bool:
    return name.startswith(JUNK[0]) or PurePosixPath(name).name in JUNK
