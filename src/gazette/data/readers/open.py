"""Access to raw files: regular files inside the corpus folder, of a bounded size and of the expected kind."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

from prefect_dvc.core.errors import DataContractError
from prefect_dvc.core.escape import escape

from gazette.core.encodings import CODECS, PLAIN, Coding
from gazette.core.limits import MAX_BYTES
from gazette.data.readers.compressed import MAGIC, unpack
from gazette.data.readers.lines import BOM
from gazette.data.readers.streams import open_stream, read_chunks, transcode

# Signatures of files that are not text, and what to do about them.
KINDS = {
    **{
        magic: f"compressed with {kind}; unpack it first, or set `compression: {kind}`" for magic, kind in MAGIC.items()
    },
    b"PK\x03\x04": "a zip archive (a spreadsheet is one too); unpack it, or save the sheet as CSV in UTF-8",
    b"PK\x05\x06": "an empty zip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it, and pass the file in it",
    b"Rar!": "a RAR archive; unpack it, and pass the file in it",
    b"PAR1": "Parquet; use `format: parquet`",
    **dict.fromkeys((b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"), "Arrow or Feather; save it as Parquet"),
    b"\x04\x22\x4d\x18": "compressed with lz4; unpack it first",
    b"\x1f\x9d": "compressed with compress; unpack it first",
    b"SQLite format 3": "a database; export the table as CSV",
    b"%PDF": "a PDF; only text can be read",
    b"\xd0\xcf\x11\xe0": "an old Office document; save the sheet as CSV in UTF-8, or the text as plain text",
    b"{\\rtf": "a document in Rich Text Format; save it as plain text in UTF-8",
    **{
        b"\x80" + bytes([protocol]): "a pickle of Python; write the table as CSV or Parquet" for protocol in range(2, 6)
    },
    b"\x93NUMPY": "an array of NumPy; write the table as CSV or Parquet",
    **dict.fromkeys((b"RDX2\n", b"RDX3\n", b"X\n\0\0\0"), "data of R; write the table with write.csv"),
    b"\x89HDF": "HDF5; write the table as CSV or Parquet",
    b"Obj\x01": "Avro; write the table as CSV or Parquet",
    b"$FL2": "data of SPSS; export the table as CSV",
    b"<stata_dta>": "data of Stata; export the table as CSV",
    **dict.fromkeys((b"\x89PNG", b"\xff\xd8\xff", b"GIF8"), "an image; only text can be read"),
    **dict.fromkeys(
        (b"-- MySQL dump", b"-- MariaDB dump", b"/*M!", b"-- phpMyAdmin", b"--\n-- PostgreSQL", b"PRAGMA foreign_keys"),
        "a dump of a database; load it there, and export the table as CSV",
    ),
    b"\xff\xfe": "encoded in UTF-16, as its byte order mark says; save it as UTF-8, or set `encoding: utf-16`",
    b"\xfe\xff": "encoded in UTF-16, as its byte order mark says; save it as UTF-8, or set `encoding: utf-16`",
    b"\x00\x00\xfe\xff": "encoded in UTF-32, as its byte order mark says; save it as UTF-8",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself; run `git lfs pull`",
    b"outs:\n": "a pointer of DVC, not the file itself; run `dvc pull`",
    **dict.fromkeys((b"<!doctype", b"<html"), "an HTML page, perhaps a saved error page; download the file again"),
    b"<table": "a table in HTML, as some programs name .xls or .csv; save it as CSV in UTF-8",
    **dict.fromkeys((b"<?xml", b"<rss", b"<feed"), "XML; write its articles as CSV or JSON lines, text and label each"),
}
HEAD_BYTES = 4096  # in which a signature is looked for
TAR = (257, b"ustar")
CACHED = re.compile(r"/files/md5/[0-9a-f]{2}/[0-9a-f]{30}$")  # a file in a cache of DVC's


@contextmanager
def open_raw(raw: Path, name: str, coding: Coding = PLAIN) -> Iterator[BinaryIO]:
    """Open the file `name` below the folder `raw`, unpacked and as UTF-8; raises DataContractError if that is not safe.

    Also raises if the file changes while it is read: such a mixture was never the content of the file.
    """
    path = raw / name
    before = _check_file(raw, path)
    with path.open("rb") as file:
        yield _decoded(file, path, coding)
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise DataContractError(f"{path} changed while it was read; try again when nothing writes to it")


def open_file(path: Path, coding: Coding = PLAIN) -> AbstractContextManager[BinaryIO]:
    """Open a user's file, which may be a symlink, as `open_raw` does."""
    real = path.resolve()
    return open_raw(real.parent, real.name, coding)


def _decoded(file: BinaryIO, path: Path, coding: Coding) -> BinaryIO:
    """Return the content as a file: as it is, or unpacked and transcoded on the way."""
    compression, encoding = coding.compression, coding.encoding or "utf-8"
    if compression is None and encoding == "utf-8":
        return file

    def restart() -> Iterator[bytes]:
        chunks = read_chunks(file) if compression is None else unpack(file, path, compression)
        return chunks if encoding == "utf-8" else transcode(chunks, CODECS[encoding])

    return open_stream(restart)


def _check_file(raw: Path, path: Path) -> os.stat_result:
    if not path.exists():
        raise DataContractError(f"{path}: no such file; the description names it. Is the corpus fetched or pulled?")
    check_inside(path, raw)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise DataContractError(
            f"{path} is {'a folder' if path.is_dir() else 'not a regular file'}; expected a text file"
        )
    if status.st_size == 0:
        raise DataContractError(f"{path} is empty (0 bytes); was it downloaded or exported completely?")
    if status.st_size > MAX_BYTES:
        raise DataContractError(
            f"{path} has {status.st_size / (1 << 30):.1f} GiB; at most {MAX_BYTES >> 30} GiB are read: split it into "
            "several files, or export only the columns that are needed"
        )
    return status


def check_inside(path: Path, raw: Path) -> None:
    """Raise DataContractError if a symlink leads out of the corpus folder."""
    if fault := find_outside(path, raw):
        raise DataContractError(f"{path}: {fault}")


def find_outside(path: Path, raw: Path) -> str | None:
    """Return what is wrong with a symlink that leads out of the corpus folder, with the cure; None if it does not."""
    target = path.resolve()
    if target.is_relative_to(raw.resolve()):
        return None
    if CACHED.search(str(target)):
        return (
            "symlink into DVC's cache, which is not followed; run `dvc config cache.type reflink,copy` and "
            "`dvc checkout --relink`"
        )
    return "symlink points outside the corpus folder; copy the target into it"


def detect_kind(head: bytes) -> str | None:
    """Describe a file by its first bytes, with a remedy, if it is known not to be text."""
    markup = head.removeprefix(BOM).lstrip()
    start = markup.lower() if markup[:1] == b"<" else head
    if head[TAR[0] :].startswith(TAR[1]):
        return "a tar archive; unpack it, and pass the files in it"
    return next((kind for signature, kind in KINDS.items() if start.startswith(signature)), None)


def check_kind(file: BinaryIO, path: Path) -> None:
    """Raise DataContractError if a file is not text; leaves the file at its start."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if kind := detect_kind(head):
        raise DataContractError(f"{path} is {kind}")
    first = head.split(b"\n", 1)[0]
    if not head:
        raise DataContractError(f"{path} is empty, though not its file; was it downloaded or exported completely?")
    if b"\0" in first:
        excerpt = escape(first.decode("utf-8", "replace"))
        raise DataContractError(
            f"{path}, line 1: NUL bytes: UTF-16 without a mark (set `encoding: utf-16-le`), or not text; seen: "
            f"{excerpt}"
        )
    if b"\r" in head.rstrip(b"\r\n") and b"\n" not in head:
        raise DataContractError(f"{path}: lines end in bare carriage returns, as on old Macs; save it with LF or CRLF")
