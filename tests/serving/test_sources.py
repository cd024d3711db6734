"""Texts to label."""

import io
import os
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.cli.predict import predict
from gazette.data.coding import Hints
from gazette.serving import sources


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
    assert sources.read_texts(tmp_path / name) == ["one", "two\nlines"]


def test_a_plain_file_has_a_text_on_every_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone, 1\r\n \xe4\xba\x94\n\nlast")
    assert sources.read_texts(tmp_path / "a.txt") == ["one, 1", " 五", "", "last"]


@pytest.mark.parametrize(
    ("suffix", "content"), [("csv", b"text\ngoal\n"), ("jsonl", b'{"text": "goal"}\n'), ("txt", b"goal\n")]
)
def test_a_file_may_have_a_name_that_is_not_utf_8(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"caf\udce9.{suffix}"
    path.write_bytes(content)
    assert sources.read_texts(path) == ["goal"]
    path.write_bytes(content + b"\xe9\n")
    with pytest.raises(DataContractError, match=rf"caf\\udce9\.{suffix}, line \d"):
        sources.read_texts(path, Hints(encoding="utf-8"))


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n")))
    assert sources.read_texts(Path("-")) == ["one", "two"]


@pytest.mark.parametrize(("content", "texts"), [(b'{"text": "one"}\n{"text": "two"}\n', ["one", "two"]), (b"", [])])
def test_standard_input_is_read_as_a_file_without_a_suffix(
    monkeypatch: pytest.MonkeyPatch, content: bytes, texts: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert sources.read_texts(Path("-")) == texts


def test_a_pipe_is_read_as_standard_input_is_and_no_source_of_score(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match="pipe: a pipe, expected a file or a folder"):
        sources.find_sources(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("one\ntwo\n",))
    writer.start()
    assert sources.read_texts(pipe) == ["one", "two"]
    writer.join()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"<html>503</html>", "^standard input is an HTML page"), (b"one\ncaf\xe9\n", "^standard input is not UTF-8")],
)
def test_standard_input_is_named_as_that_and_not_by_its_copy(
    monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises((ConfigError, DataContractError), match=message):
        sources.read_texts(Path("-"))


def test_what_spark_leaves_beside_tables_is_no_article(tmp_path: Path) -> None:
    for name in ("_SUCCESS", "_committed_7", ".part-00000.csv.crc", "part-00000.csv"):
        (tmp_path / name).write_text("text\none\n")
    assert [source.name for source in sources.find_sources(tmp_path)] == ["part-00000.csv"]


def test_empty_standard_input_is_named(bundle: Path) -> None:
    ended = CliRunner().invoke(predict, ["--bundle", str(bundle), "--file", "-"], input="")
    assert ended.exit_code == 2 and "no text: --file - is empty" in ended.output


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"none\.csv: no such file"):
        sources.read_texts(Path("none.csv"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"id,body\n1,x\n", r"a\.csv: no column 'text' among 'id', 'body'; --text name"),
        (
            "a.csv",
            b"text,id\nx,1\ny\n",
            r"1 row cannot be read; `gazette score` labels the others. .* line 3: 1 field",
        ),
        ("a.jsonl", b'{"text": "x"}\n{"body": "y"}\n', r"a\.jsonl, line 2: no key 'text'"),
        ("a.jsonl", b'{"text": 5}\n', r"line 1: not a string: 'text' is int"),
        ("a.jsonl", b'{"text": "x"}\n{"text": \n', r"line 2: not JSON"),
        ("a.txt", b"one\ncaf\xe9\n", r"a\.txt is not UTF-8 \(line 2\).*\n  --encoding windows-1252   café"),
        ("a.txt", "é\n".encode() * 20 + b"\xe9\n", r"a\.txt, line 21: not UTF-8: byte 0xe9"),
        ("a.txt", b"PK\x03\x04 and so on", r"a\.txt cannot be unpacked \(zip\)"),
        ("a.txt", b"", r"a\.txt is empty"),
    ],
)
def test_a_text_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((ConfigError, DataContractError), match=message):
        sources.read_texts(tmp_path / name)


def test_a_line_in_braces_or_brackets_is_a_text_and_an_array_of_texts_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("{sigh} one\n[{x}] two\n")
    assert sources.read_texts(tmp_path / "a.txt") == ["{sigh} one", "[{x}] two"]
    (tmp_path / "a.txt").write_text('["one", "two"]')
    with pytest.raises(DataContractError, match=r"JSON arrays of values"):
        sources.read_texts(tmp_path / "a.txt")


def test_a_text_without_a_word_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,id\n"",1\n...,2\n')
    assert sources.read_texts(tmp_path / "a.csv") == ["", "..."]


@pytest.mark.parametrize("content", ['text\nx\n""\ny\n', "id,text\n1,x\n,\n3,y\n", 'text\nx\n""\n\ny\n'])
def test_a_row_that_is_empty_all_over_gets_an_answer_and_a_blank_line_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    assert sources.read_texts(tmp_path / "a.csv") == ["x", "", "y"]
