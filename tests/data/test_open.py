"""Which files are opened, and which are known not to be text."""

import gzip
import io
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from prefect_dvc.core.errors import DataContractError

from gazette.core.encodings import Coding
from gazette.core.limits import MAX_BYTES
from gazette.data.readers.open import HEAD_BYTES, check_kind, detect_kind, open_raw


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"  \n<!DOCTYPE html>", "an HTML page"),
        (b"<HTML>", "an HTML page"),
        (b"a <html>", None),
        (b"<b>bold</b> news", None),
        (b"PK\x03\x04", "a zip archive"),
        (b"pk\x03\x04", None),
        (b" PK\x03\x04", None),
        (b"x" * 257 + b"ustar", "a tar archive"),
        (b"x" * 256 + b"ustar", None),
        (b"x" * 258 + b"ustar", None),
        (b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS"),
        (b"outs:\n- md5: 0", "a pointer of DVC"),
        (b'<?xml version="1.0"?>\n<rows>', "XML; write its articles as CSV or JSON lines"),
        (b"\xef\xbb\xbf<?xml", "XML"),
        (b'<rss version="2.0">', "XML"),
        (b"<table border=1><tr>", "a table in HTML"),
        (b"-- MySQL dump 10.13", "a dump of a database; load it there, and export the table as CSV"),
        (b"--\n-- PostgreSQL database dump\n", "a dump of a database"),
        (b"-- a headline", None),
        (pickle.dumps([("a", "b")]), "a pickle of Python; write the table as CSV or Parquet"),
        (b"RDX3\nX\n\0\0\0\3", "data of R"),
        (b"X\n\0\0\0\3", "data of R"),
        (b"X\nY", None),
        (b"{\\rtf1\\ansi", "a document in Rich Text Format"),
        (b"\x89PNG\r\n", "an image"),
        (b"outs: and ins", None),
        (b"", None),
    ],
)
def test_a_file_that_is_no_text_is_known_by_its_first_bytes(head: bytes, kind: str | None) -> None:
    actual = detect_kind(head)
    assert actual is None if kind is None else str(actual).startswith(kind)


@pytest.mark.parametrize(
    "content", [b"a\nb\0\n", b"a\rb\n", b"a\r\n", b"a\r", b"a,b\r\n\r\n", b"x" * HEAD_BYTES + b"\0\n"]
)
def test_a_text_is_left_at_its_start(content: bytes) -> None:
    file = io.BytesIO(content)
    check_kind(file, Path("raw.csv"))
    assert file.tell() == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\0b\n", r"raw\.csv, line 1: NUL bytes: UTF-16 without a mark .* seen: a\\x00b"),
        (b"x" * (HEAD_BYTES - 1) + b"\0\n", r"line 1: NUL bytes"),
        (b"a\rb\rc", "lines end in bare carriage returns, as on old Macs"),
        (b"a\rb\r", "lines end in bare carriage returns"),
        (b"%PDF-1.7", r"raw\.csv is a PDF; only text can be read"),
        (b"", r"raw\.csv is empty, though not its file"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(DataContractError, match=message):
        check_kind(io.BytesIO(content), Path("raw.csv"))


def test_a_file_of_the_most_bytes_is_opened_and_a_larger_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    path.write_bytes(b"a\n")
    os.truncate(path, MAX_BYTES)
    with open_raw(tmp_path, "raw.csv") as file:
        assert file.read(2) == b"a\n"
    os.truncate(path, MAX_BYTES + (1 << 29))
    with pytest.raises(DataContractError, match=r"has 4\.5 GiB; at most 4 GiB are read"), open_raw(tmp_path, "raw.csv"):
        pass
    os.truncate(path, 1)
    with open_raw(tmp_path, "raw.csv") as file:
        assert file.read() == b"a"


@pytest.mark.parametrize("change", ["size", "time"])
def test_a_file_that_grows_or_is_written_while_it_is_read_is_refused(tmp_path: Path, change: str) -> None:
    path = tmp_path / "raw.csv"
    path.write_bytes(b"a\n")
    status = path.stat()
    with pytest.raises(DataContractError, match="changed while it was read"), open_raw(tmp_path, "raw.csv"):
        if change == "size":
            path.write_bytes(b"a\nb\n")
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        else:
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", None])
@pytest.mark.parametrize("compression", ["gzip", None])
def test_a_file_is_unpacked_and_read_as_utf_8(tmp_path: Path, compression: Any, encoding: str | None) -> None:
    content = "标签,文本\n".encode(encoding or "utf-8")
    (tmp_path / "raw").write_bytes(gzip.compress(content) if compression else content)
    with open_raw(tmp_path, "raw", Coding(encoding, compression)) as file:
        assert file.read() == "标签,文本\n".encode()


def test_a_file_that_is_missing_empty_or_elsewhere_is_refused(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "empty.csv").write_bytes(b"")
    (tmp_path / "elsewhere.csv").write_bytes(b"a\n")
    (raw / "link.csv").symlink_to("../elsewhere.csv")
    for name, message in (
        ("none.csv", r"none\.csv: no such file; the description names it"),
        ("empty.csv", r"empty\.csv is empty \(0 bytes\)"),
        ("link.csv", r"link\.csv: symlink points outside the corpus folder"),
    ):
        with pytest.raises(DataContractError, match=message), open_raw(raw, name):
            pass


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    with pytest.raises(DataContractError, match=r"raw is a folder; expected a text file"), open_raw(tmp_path, "raw"):
        pass
