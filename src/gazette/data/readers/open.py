"""Opening a raw file: is it a file, inside the corpus, of a size that can be read, and of the kind it is said to be?"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gazette.core.errors import BrokenContract
from gazette.core.escape import shown
from gazette.core.limits import MAX_BYTES

# What a file begins with when it is something else than text, and what to do about it.
KINDS = {
    b"\x1f\x8b": "compressed with gzip; unpack it first",
    b"PK\x03\x04": "a zip archive (a spreadsheet is one too); unpack it, or save the sheet as CSV in UTF-8",
    b"PK\x05\x06": "an empty zip archive",
    b"BZh": "compressed with bzip2; unpack it first",
    b"\xfd7zXZ": "compressed with xz; unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it first",
    b"PAR1": "Parquet; say `format: parquet`",
    b"SQLite format 3": "a database; export the table as CSV",
    b"%PDF": "a PDF; only text can be read",
    b"\xd0\xcf\x11\xe0": "an old Office document; save the sheet as CSV in UTF-8",
    b"\xff\xfe": "encoded in UTF-16, as its byte order mark says; save it as UTF-8",
    b"\xfe\xff": "encoded in UTF-16, as its byte order mark says; save it as UTF-8",
    b"\x00\x00\xfe\xff": "encoded in UTF-32, as its byte order mark says; save it as UTF-8",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself; run `git lfs pull`",
    b"outs:\n": "a pointer of DVC, not the file itself; run `dvc pull`",
    b"<!doctype": "an HTML page, perhaps a saved error page; download the file again",
    b"<html": "an HTML page, perhaps a saved error page; download the file again",
}
HEAD = 4096  # bytes that are looked at


@contextmanager
def opened(raw: Path, name: str) -> Iterator[BinaryIO]:
    """The file `name` of a corpus in the folder `raw`; raises BrokenContract where it may or can not be read.

    A file that changes while it is read is refused at the end: what was read of it is no state that it ever had.
    """
    path = raw / name
    before = _checked(raw, path)
    with path.open("rb") as file:
        yield file
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise BrokenContract(f"{path} changed while it was read; try again when nothing writes to it")


def _checked(raw: Path, path: Path) -> os.stat_result:
    if not path.exists():
        raise BrokenContract(f"{path}: no such file; the description names it. Is the corpus fetched or pulled?")
    if not path.resolve().is_relative_to(raw.resolve()):
        raise BrokenContract(
            f"{path} is a link out of {raw}; a corpus is whole in its folder: put the file itself there"
        )
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise BrokenContract(f"{path} is {'a folder' if path.is_dir() else 'no regular file'}; expected a file of text")
    if found.st_size == 0:
        raise BrokenContract(f"{path} is empty (0 bytes); was it downloaded or exported whole?")
    if found.st_size > MAX_BYTES:
        raise BrokenContract(
            f"{path} has {found.st_size / (1 << 30):.1f} GiB; at most {MAX_BYTES >> 30} GiB are read: split it into "
            "several files, or export only the columns that are needed"
        )
    return found


def kind(head: bytes) -> str | None:
    """What a file that begins with `head` is, and what to do, if it is known to be something else than text."""
    start = head.lstrip().lower() if head.lstrip()[:1] == b"<" else head
    return next((said for magic, said in KINDS.items() if start.startswith(magic)), None)


def refuse_other_kinds(file: BinaryIO, path: Path) -> None:
    """Raises BrokenContract where a file is not the text it is said to be; leaves the file at its start."""
    head = file.read(HEAD)
    file.seek(0)
    if said := kind(head):
        raise BrokenContract(f"{path} is {said}")
    first = head.split(b"\n", 1)[0]
    if b"\0" in first:
        seen = shown(first.decode("utf-8", "replace"))
        raise BrokenContract(f"{path}, line 1: NUL bytes, so it is UTF-16 without a mark, or no text; seen: {seen}")
    if b"\r" in head.rstrip(b"\r\n") and b"\n" not in head:
        raise BrokenContract(f"{path}: its lines end in bare carriage returns, as on old Macs; save it with LF or CRLF")
