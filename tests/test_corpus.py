"""Reading raw files: every row comes back once, as an article or as a reject with its place and reason."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gazette import corpus
from gazette.errors import BrokenContract, Misconfigured

CSV = {"format": "csv", "path": "raw.csv", "header": True, "text": ["text"], "label": "label"}
TSV = CSV | {"format": "tsv"}
BARE = {"format": "csv", "path": "raw.csv", "header": False, "text": [2], "label": 1}


def described(*files: dict[str, Any], **more: Any) -> corpus.Corpus:
    about = {"language": "en", "labels": ["a", "b"], "files": {"train": files}, "source": "here", "terms": "none"}
    return corpus.Corpus(**about | more)


def read(raw: Path, content: bytes, file: dict[str, Any] = CSV, **more: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    (raw / "raw.csv").write_bytes(content)
    return corpus.read(described(file, **more), raw)


def found(articles: pl.DataFrame) -> list[tuple[str, str, int]]:
    return articles.select("text", "label", "line").rows()


def lines(table: pl.DataFrame) -> list[int]:
    return table["line"].to_list()


# Formats


def test_a_folder_per_class_gives_an_article_per_file(tmp_path: Path) -> None:
    for name, text in {"b/2.txt": "Title\n\nBody\n", "a/1.txt": "Other"}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    articles, rejects = corpus.read(described({"format": "folder"}), tmp_path)
    assert articles.rows() == [("Other", "a", "train", "a/1.txt", 1), ("Title\n\nBody", "b", "train", "b/2.txt", 1)]
    assert rejects.is_empty()


def test_a_folder_below_the_raw_files_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "news/a").mkdir(parents=True)
    (tmp_path / "news/a/1.txt").write_text("Text")
    articles, _ = corpus.read(described({"format": "folder", "path": "news"}), tmp_path)
    assert articles["file"].to_list() == ["a/1.txt"]


def test_a_folder_without_files_in_folders_says_what_was_expected(tmp_path: Path) -> None:
    (tmp_path / "stray.txt").write_text("Text")
    with pytest.raises(BrokenContract, match=f"{tmp_path}.*one folder per class"):
        corpus.read(described({"format": "folder"}), tmp_path)


def test_a_header_names_the_columns_in_any_order(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b"text,id,label\nx,1,a\ny,2,b\n")
    assert found(articles) == [("x", "a", 2), ("y", "b", 3)]


def test_columns_without_a_header_are_counted_from_1(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b"a,x\nb,y\n", BARE)
    assert found(articles) == [("x", "a", 1), ("y", "b", 2)]


def test_quotes_are_ordinary_characters_between_tabs(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b'label\ttext\na\t"x\nb\ty, "z"\n', TSV)
    assert found(articles) == [('"x', "a", 2), ('y, "z"', "b", 3)]


def test_doubled_quotes_are_one_and_a_comma_inside_parts_nothing(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b'label,text\na,"he said ""no"", twice"\n')
    assert found(articles) == [('he said "no", twice', "a", 2)]


def test_several_text_columns_are_joined_by_a_line_break_in_the_described_order(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b"label,body,title\na,B,T\nb,,T\n", CSV | {"text": ["title", "body"]})
    assert articles["text"].to_list() == ["T\nB", "T\n"]


@pytest.mark.parametrize("first", [0, 1])
def test_numbered_labels_become_names(tmp_path: Path, first: int) -> None:
    articles, _ = read(tmp_path, f"label,text\n{first},x\n{first + 1},y\n7,z\n".encode(), numbered_from=first)
    assert articles["label"].to_list() == ["a", "b", "7"]


@pytest.mark.parametrize("word", ["NA", "null", "NULL", "None", "nan", "", '""', "007", "1e5", "true"])
def test_every_word_stays_text(tmp_path: Path, word: str) -> None:
    articles, rejects = read(tmp_path, f"label,text\na,{word}\n".encode())
    assert found(articles) == [(word.strip('"'), "a", 2)]
    assert rejects.is_empty()


@pytest.mark.parametrize(("file", "head"), [(CSV, "label,text\n"), (BARE, "")])
def test_a_byte_order_mark_belongs_to_no_column(tmp_path: Path, file: dict[str, Any], head: str) -> None:
    articles, _ = read(tmp_path, b"\xef\xbb\xbf" + head.encode() + b"a,x\n", file)
    assert articles.select("text", "label").rows() == [("x", "a")]


def test_files_of_all_splits_are_read_and_marked(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("label,text\na,x\n")
    (tmp_path / "two.csv").write_text("label,text\nb,y\nb\n")
    files = {"train": [CSV | {"path": "one.csv"}], "test": [CSV | {"path": "two.csv"}, CSV | {"path": "one.csv"}]}
    articles, rejects = corpus.read(described(files=files), tmp_path)
    assert sorted(articles.select("split", "file").rows()) == [
        ("test", "one.csv"),
        ("test", "two.csv"),
        ("train", "one.csv"),
    ]
    assert rejects.select("split", "file", "line").rows() == [("test", "two.csv", 3)]


# Rejects


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"b", "missing columns"),
        (b"b,y,z", "too many columns"),
        (b'b,"op"en', "unterminated quote"),
        (b"b,caf\xe9", "not utf-8"),
    ],
)
def test_a_broken_row_is_a_reject_with_file_line_and_reason(tmp_path: Path, row: bytes, reason: str) -> None:
    articles, rejects = read(tmp_path, b"label,text\na,x\n" + row + b"\nb,z\n")
    assert found(articles) == [("x", "a", 2), ("z", "b", 4)]
    assert rejects.select("split", "file", "line").rows() == [("train", "raw.csv", 3)]
    assert reason in rejects["reason"].item()
    assert rejects["seen"].item().startswith("b")


def test_an_unclosed_quote_rejects_up_to_the_next_quote_and_shows_what_it_took(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b'label,text\na,x\nb,"open\na,y\nb,"z"\na,w\n')
    assert found(articles) == [("x", "a", 2), ("w", "a", 6)]
    assert rejects.select("line", "seen").rows() == [(3, 'b,"open\na,y\nb,"z"')]


def test_an_unclosed_quote_in_the_last_row_is_a_reject_too(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b'label,text\na,x\nb,"open\n')
    assert (lines(articles), lines(rejects)) == ([2], [3])


def test_a_row_with_two_faults_is_one_reject(tmp_path: Path) -> None:
    _, rejects = read(tmp_path, b"label,text\nb,caf\xe9,z\n")
    assert lines(rejects) == [2]
    assert "utf-8" in rejects["reason"].item()
    assert "too many columns" in rejects["reason"].item()


def test_a_long_rejected_row_is_cut(tmp_path: Path) -> None:
    _, rejects = read(tmp_path, b"label,text\nb,y," + b"z" * 5000 + b"\n")
    assert rejects["seen"].str.len_chars().item() == 200


def test_a_file_in_a_folder_that_is_not_utf8_is_placed_by_line_and_byte(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/bad.txt").write_bytes(b"Title\n\nIt cost \xa35.\n")
    (tmp_path / "a/good.txt").write_text("It cost £5.")
    articles, rejects = corpus.read(described({"format": "folder"}), tmp_path)
    assert articles["text"].to_list() == ["It cost £5."]
    assert rejects.select("file", "line").rows() == [("a/bad.txt", 3)]
    assert "0xa3" in rejects["reason"].item()
    assert "It cost \\xa35." in rejects["seen"].item()


# Physical lines


def test_lines_are_counted_past_quoted_breaks_blank_lines_and_rejects(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b'label,text\n\na,"x\n\ny"\n\nb\nb,q\n\n\nb\n"a","z"\n')
    assert found(articles) == [("x\n\ny", "a", 3), ("q", "b", 8), ("z", "a", 12)]
    assert lines(rejects) == [7, 11]


def test_lines_that_end_in_carriage_return_and_line_feed_are_counted_alike(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b'label,text\r\na,"x\r\ny"\r\nb\r\nb,q\r\n')
    assert found(articles) == [("x\r\ny", "a", 2), ("q", "b", 5)]
    assert rejects.select("line", "seen").rows() == [(4, "b")]


CRLF_BLANKS = "corpus._blank_lines and _locate take only a bare line feed for a blank line"


def test_blank_lines_are_counted_in_files_with_carriage_returns(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b"label,text\r\n\r\na,x\r\n\r\nb\r\nb,q\r\n")
    assert (lines(articles), lines(rejects)) == ([3, 6], [5])


def test_a_line_break_in_the_header_is_counted(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b'label,"the\ntext"\na,x\n', CSV | {"text": ["the\ntext"]})
    assert lines(articles) == [3]


def test_a_blank_line_may_stand_first(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b"\na,x\n", BARE)
    assert lines(articles) == [2]


def test_mixed_line_ends_are_no_bug_of_ours(tmp_path: Path) -> None:
    try:
        articles, rejects = read(tmp_path, b"label,text\r\na,x\nb,y\r\na\nb,z\n")
    except BrokenContract:
        return
    assert articles.height + rejects.height == 4


def test_two_columns_of_one_name_are_refused_or_read(tmp_path: Path) -> None:
    try:
        articles, _ = read(tmp_path, b"id,id,label,text\n1,2,a,x\n")
    except (BrokenContract, Misconfigured):
        return
    assert articles["text"].to_list() == ["x"]


words = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)
good = st.tuples(st.just("good"), st.sampled_from("ab"), words)
broken = st.tuples(st.just("broken"), st.sampled_from(["b", "a,x,y", 'b,"op"en', 'a,"x\ny",z']), st.just(""))
blank = st.tuples(st.just("blank"), st.just(""), st.just(""))


def laid_out(rows: list[tuple[str, str, str]], end: str) -> tuple[str, list[tuple[str, str, int]], list[int]]:
    """The file, what must be read from it, and the lines of its rejects."""
    out, articles, rejects = f"label,text{end}", [], []
    for kind, label, text in rows:
        line = out.count("\n") + 1
        cell = io.StringIO(newline="")
        csv.writer(cell, lineterminator=end).writerow([label, text])
        out += {"good": cell.getvalue(), "broken": label + end, "blank": end}[kind]
        if kind == "good":
            articles.append((text, label, line))
        elif kind == "broken":
            rejects.append(line)
    return out, articles, rejects


@given(st.lists(st.one_of(good, good, broken, blank), max_size=12))
def test_every_row_comes_back_once_with_its_text_and_its_line(rows: list[tuple[str, str, str]]) -> None:
    content, articles, rejects = laid_out(rows, "\n")
    with TemporaryDirectory() as raw:
        good, bad = read(Path(raw), content.encode())
    assert found(good) == articles
    assert lines(bad) == rejects


@given(st.lists(st.one_of(good, broken), max_size=12))
def test_every_row_comes_back_once_from_a_file_with_carriage_returns(rows: list[tuple[str, str, str]]) -> None:
    content, articles, rejects = laid_out(rows, "\r\n")
    with TemporaryDirectory() as raw:
        good, bad = read(Path(raw), content.encode())
    assert found(good) == articles
    assert lines(bad) == rejects


# What stops


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BrokenContract, match=r"raw\.csv: no such file.*description.*fetched or pulled"):
        corpus.read(described(CSV), tmp_path)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(BrokenContract, match=r"raw\.csv, line 1: no column 'text' among \['label', 'body'\]; correct"):
        read(tmp_path, b"label,body\na,x\n")


def test_an_empty_file_lacks_its_columns(tmp_path: Path) -> None:
    with pytest.raises(BrokenContract, match=r"raw\.csv, line 1: no column 'text'"):
        read(tmp_path, b"")


def test_a_header_alone_is_no_article_and_no_reject(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b"label,text\n")
    assert (articles.height, rejects.height) == (0, 0)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"langauge": "en"}, "langauge"),
        ({"language": "fr"}, "language"),
        ({"labels": ["a", "a"]}, "names a class twice"),
        ({"labels": ["a"]}, "labels"),
        ({"files": {"test": [CSV]}}, "no `train`"),
        ({"files": {"train": [CSV | {"sep": ";"}]}}, "sep"),
        ({"files": {"train": [CSV | {"text": []}]}}, "text"),
        ({"files": {"train": [CSV | {"format": "xml"}]}}, "xml"),
    ],
)
def test_a_description_that_is_wrong_is_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        described(CSV, **wrong)


def test_a_description_is_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(
        "language: zh\nlabels: [no, yes]\nsource: x\nterms: y\nfiles: {train: [{format: folder, path: all}]}\n"
    )
    assert corpus.describe(path).labels == ["no", "yes"]


def test_a_description_that_is_not_there_says_where_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"none\.yaml: no such file"):
        corpus.describe(tmp_path / "none.yaml")
