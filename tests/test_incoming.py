"""Texts that somebody wants labelled."""

import io
from pathlib import Path

import pytest

from gazette import incoming
from gazette.errors import Misconfigured


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b'id,text\n1,one\n2,"two\nlines"\n'),
        ("a.csv", b'\xef\xbb\xbftext,id\r\none,1\r\n"two\nlines",2\r\n'),
        ("a.jsonl", b'{"text": "one"}\n\n{"id": 2, "text": "two\\nlines"}\n'),
        ("a.ndjson", b'{"text": "one"}\r\n{"text": "two\\nlines"}'),
    ],
)
def test_the_column_text_is_read(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert incoming.read(tmp_path / name) == ["one", "two\nlines"]


def test_a_plain_file_has_a_text_on_every_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone, 1\r\n \xe4\xba\x94\n\nlast")
    assert incoming.read(tmp_path / "a.txt") == ["one, 1", " 五", "", "last"]


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("one\ntwo\n"))
    assert incoming.read(Path("-")) == ["one", "two"]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"none\.csv: no such file"):
        incoming.read(Path("none.csv"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "id,body\n1,x\n", r"a\.csv: no column `text` with texts; it has id, body"),
        ("a.jsonl", '{"text": "x"}\n{"body": "y"}\n', r"a\.jsonl, row 2: no text"),
        ("a.jsonl", '{"text": 5}\n', r"a\.jsonl: no column `text` with texts"),
    ],
)
def test_a_text_that_is_not_there_is_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(Misconfigured, match=message):
        incoming.read(tmp_path / name)


@pytest.mark.parametrize("content", ['{"text": "x"}\n{"text": \n', '"only a string"\n'])
def test_a_file_that_is_not_json_lines_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(Misconfigured, match=r"a\.jsonl cannot be read"):
        incoming.read(tmp_path / "a.jsonl")


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\ncaf\xe9\n")
    with pytest.raises(Misconfigured, match=r"a\.txt"):
        incoming.read(tmp_path / "a.txt")
