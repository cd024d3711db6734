"""Every row of a raw file is read once, as an article or as a reject with its place and reason."""

import csv
import io
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc.core.errors import DataContractError

from gazette.core import corpus
from gazette.core.corpus import Delimited, JsonLines
from gazette.data.readers import delimited, jsonlines
from gazette.data.readers.read import read_corpus

CSV = {"format": "csv", "path": "raw", "header": True, "text": ["text"], "label": "label"}
PLAIN = CSV | {"delimiter": "\t", "quotes": False}
BARE = {"format": "csv", "path": "raw", "header": False, "text": [2], "label": 1}
JSONL = {"format": "jsonl", "path": "raw", "text": ["text"], "label": "label"}
PARQUET = {"format": "parquet", "path": "raw", "text": ["text"], "label": "label"}
FOLDER = {"format": "folder"}
Tables = tuple[pl.DataFrame, pl.DataFrame]


def described(*files: dict[str, Any], **more: Any) -> corpus.Corpus:
    about = {"language": "en", "labels": ["a", "b"], "files": {"train": files}, "source": "here", "terms": "none"}
    return corpus.Corpus(**about | more)


def read(raw: Path, content: bytes, file: dict[str, Any] = CSV, **more: Any) -> Tables:
    (raw / "raw").write_bytes(content)
    return read_there(raw, file, **more)


def read_there(raw: Path, file: dict[str, Any], **more: Any) -> Tables:
    articles, rejects, accounts = read_corpus(described(file, **more), raw)
    assert accounts[0]["rows"] == articles.height + rejects.height
    return articles, rejects


def account(raw: Path, content: bytes, file: dict[str, Any]) -> dict[str, Any]:
    (raw / "raw").write_bytes(content)
    return read_corpus(described(file), raw)[2][0]


def contents(articles: pl.DataFrame) -> list[tuple[str, str, int]]:
    return articles.select("text", "label", "line").rows()


def lines(table: pl.DataFrame) -> list[int]:
    return table["line"].to_list()


# Delimited


def test_a_header_names_the_columns_in_any_order(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b"text,id,label\nx,1,a\ny,2,b\n")
    assert contents(articles) == [("x", "a", 2), ("y", "b", 3)]


def test_columns_without_a_header_are_counted_from_1(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b"a,x\nb,y\n", BARE)
    assert contents(articles) == [("x", "a", 1), ("y", "b", 2)]


def test_without_a_header_the_commonest_width_is_expected_of_every_row(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b"a\na,x\nb,y\nb,y,z\n", BARE)
    assert (lines(articles), lines(rejects)) == ([2, 3], [1, 4])


def test_without_a_header_and_without_a_row_that_can_be_read_the_first_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"raw, line 2: no row can be read\. The first: not UTF-8"):
        read(tmp_path, b"\na,\xff\n", BARE)


def test_quotes_are_ordinary_characters_where_the_description_says_so(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b'label\ttext\na\t"x\nb\ty, "z"\na\t""\n', PLAIN)
    assert contents(articles) == [('"x', "a", 2), ('y, "z"', "b", 3), ('""', "a", 4)]
    assert rejects.is_empty()


def test_doubled_quotes_are_one_and_a_comma_inside_parts_nothing(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b'label,text\na,"he said ""no"", twice"\n')
    assert contents(articles) == [('he said "no", twice', "a", 2)]


@pytest.mark.parametrize(
    ("row", "stray"),
    [(b'"he said ""no"""', 0), (b'5" disc', 1), (b'a ""b"" c', 1), (b'"x ""y"" z"', 0), (b'""""', 0)],
)
def test_quotes_inside_a_field_that_is_not_quoted_are_kept_and_counted(tmp_path: Path, row: bytes, stray: int) -> None:
    notes = account(tmp_path, b"label,text\na," + row + b"\n", CSV)["notes"]
    assert sum(notes.values()) == stray


def test_several_text_columns_are_joined_by_a_line_break_in_the_described_order_without_empty_ones(
    tmp_path: Path,
) -> None:
    articles, _ = read(tmp_path, b"label,body,title\na,B,T\nb,,T\nb,B,\na,,\n", CSV | {"text": ["title", "body"]})
    assert articles["text"].to_list() == ["T\nB", "T", "B", ""]


@pytest.mark.parametrize("first", [0, 1])
def test_numbered_labels_become_names(tmp_path: Path, first: int) -> None:
    numbers = f"{first},x\n{first + 1},y\n{first + 1}.0,as pandas writes it\n7,z\n"
    articles, _ = read(tmp_path, f"label,text\n{numbers}".encode(), numbered_from=first)
    assert articles["label"].to_list() == ["a", "b", "b", "7"]


@pytest.mark.parametrize("word", ["NA", "null", "NULL", "None", "nan", "", '""', "007", "1e5", "true"])
def test_every_word_stays_text(tmp_path: Path, word: str) -> None:
    articles, rejects = read(tmp_path, f"label,text\na,{word}\n".encode())
    assert contents(articles) == [(word.strip('"'), "a", 2)]
    assert rejects.is_empty()


@pytest.mark.parametrize(("file", "head"), [(CSV, b"label,text\n"), (BARE, b"")], ids=["header", "no header"])
def test_a_byte_order_mark_belongs_to_no_column(tmp_path: Path, file: dict[str, Any], head: bytes) -> None:
    articles, _ = read(tmp_path, b"\xef\xbb\xbf" + head + b"a,x\n", file)
    assert articles.select("text", "label").rows() == [("x", "a")]


def test_files_of_all_splits_are_read_and_marked(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("label,text\na,x\n")
    (tmp_path / "two.csv").write_text("label,text\nb,y\nb\n")
    files = {"train": [CSV | {"path": "one.csv"}], "test": [CSV | {"path": "two.csv"}, CSV | {"path": "one.csv"}]}
    articles, rejects, accounts = read_corpus(described(files=files), tmp_path)
    assert articles.select("split", "file").rows() == [("test", "two.csv"), ("test", "one.csv"), ("train", "one.csv")]
    assert rejects.select("split", "file", "line").rows() == [("test", "two.csv", 3)]
    assert [(a["split"], a["file"], a["rows"], a["rejected"]) for a in accounts] == [
        ("test", "two.csv", 2, 1),
        ("test", "one.csv", 1, 0),
        ("train", "one.csv", 1, 0),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"b", "1 field, expected 2"),
        (b"b,y,z", "3 fields, expected 2"),
        (b'b,"op"en', "text after a closing quote"),
        (b'b,"open', "never closed"),
        (b"b,caf\xe9", "not UTF-8"),
        (b"b,\xe4\xb8", "a character is cut off"),
        (b"b,a\0b", "NUL character"),
        (b"b,a\rb", "bare carriage return"),
        (b"b," + b"x" * 100_001, "field too long: more than 100,000 characters"),
        (b"label,text", "the header again"),
        (b'"Label"," TEXT "', "the header again"),
        (b"\xef\xbb\xbflabel,text", "the header again"),
    ],
)
def test_a_broken_row_is_a_reject_and_its_neighbors_are_kept(tmp_path: Path, row: bytes, reason: str) -> None:
    articles, rejects = read(tmp_path, b'label,text\na,x\na,"y\nz"\n' + row + b'\nb,"q\nr"\na,w\n')
    assert contents(articles) == [("x", "a", 2), ("y\nz", "a", 3), ("q\nr", "b", 6), ("w", "a", 8)]
    assert rejects.select("split", "file", "line").rows() == [("train", "raw", 5)]
    assert reason in rejects["reason"].item()
    assert rejects["seen"].item().isprintable()
    assert len(rejects["seen"].item()) <= 200


def test_an_unclosed_quote_costs_its_line_only(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b'label,text\na,x\nb,"open\na,y\nb,"z"\na,w\n')
    assert contents(articles) == [("x", "a", 2), ("y", "a", 4), ("z", "b", 5), ("w", "a", 6)]
    assert rejects.select("line", "seen").rows() == [(3, 'b,"open')]


def test_an_unclosed_quote_in_the_last_row_is_a_reject_too(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b'label,text\na,x\nb,"open\n')
    assert (lines(articles), lines(rejects)) == ([2], [3])


def test_bad_bytes_inside_a_quoted_field_of_several_lines_cost_that_row_and_no_other(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b'label,text\na,"x\n\xff y"\nb,z\nb,", and so"\na,w\n')
    assert contents(articles) == [("z", "b", 4), (", and so", "b", 5), ("w", "a", 6)]
    assert lines(rejects) == [3]


def test_a_line_that_is_too_long_ends_an_open_quote(tmp_path: Path) -> None:
    long = b"b," + b"y" * (1 << 20) + b"\n"
    articles, rejects = read(tmp_path, b'label,text\na,"x\n' + long + b'b,z\nb,", and so"\na,w\n')
    assert contents(articles) == [("z", "b", 4), (", and so", "b", 5), ("w", "a", 6)]
    assert lines(rejects) == [2, 3]


def test_a_row_with_two_faults_is_one_reject(tmp_path: Path) -> None:
    _, rejects = read(tmp_path, b"label,text\nb,caf\xe9,z\n")
    assert lines(rejects) == [2]
    assert "UTF-8" in rejects["reason"].item()


def test_a_long_rejected_row_is_cut(tmp_path: Path) -> None:
    _, rejects = read(tmp_path, b"label,text\nb,y," + b"z" * 5000 + b"\n")
    assert rejects["seen"].str.len_chars().item() == 200


def test_columns_that_nothing_reads_are_named(tmp_path: Path) -> None:
    content = "id,label,\u202enote,text\n1,a,n,x\n".encode()
    assert account(tmp_path, content, CSV)["unused"] == ["id", "\\u202enote"]
    assert account(tmp_path, b"a,x,y,z\n", BARE)["unused"] == ["3", "4"]


def test_two_columns_of_one_name_are_refused_where_it_matters(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b"id,id,label,text\n1,2,a,x\n")
    assert articles["text"].to_list() == ["x"]
    with pytest.raises(DataContractError, match="more than one column 'text'"):
        read(tmp_path, b"label,text,text\na,x,y\n")


def test_a_position_that_no_row_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"no column 3 among '1', '2' \(the rows have 2 columns\)"):
        read(tmp_path, b"a,x\n", BARE | {"text": [3]})


# Physical lines


def test_lines_are_counted_past_quoted_breaks_blank_lines_and_rejects(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b'label,text\n\na,"x\n\ny"\n\nb\nb,q\n\n\nb\n"a","z"\n')
    assert contents(articles) == [("x\n\ny", "a", 3), ("q", "b", 8), ("z", "a", 12)]
    assert lines(rejects) == [7, 11]


def test_lines_that_end_in_carriage_return_and_line_feed_are_counted_alike(tmp_path: Path) -> None:
    articles, rejects = read(tmp_path, b'label,text\r\n\r\na,"x\r\ny"\r\nb\r\nb,q\r\n')
    assert contents(articles) == [("x\ny", "a", 3), ("q", "b", 6)]
    assert rejects.select("line", "seen").rows() == [(5, "b")]


def test_a_line_break_in_the_header_is_counted(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b'label,"the\ntext"\na,x\n', CSV | {"text": ["the\ntext"]})
    assert lines(articles) == [3]


def test_a_blank_line_may_stand_first_and_is_counted(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b"\na,x\n", BARE)
    assert lines(articles) == [2]
    assert account(tmp_path, b"a,x\n\n \nb,y\n", BARE)["notes"] == {"blank lines, skipped": 2}


letters = st.characters(codec="utf-8", exclude_characters="\0")
words = st.text(letters, max_size=12)
good = st.tuples(st.just("good"), st.sampled_from("ab"), words)
broken = st.tuples(st.sampled_from([b"b", b"a,x,y", b'b,"op"en', b"a,\xff", b"a,\0", b"a,x\ry"]), st.none(), st.none())
blank = st.tuples(st.just("blank"), st.none(), st.none())


def laid_out(rows: list[tuple[Any, Any, Any]], end: str) -> tuple[bytes, list[tuple[str, str, int]], list[int]]:
    """The file, what must be read from it, and the lines of its rejects."""
    out, articles, rejects = f"label,text{end}".encode(), [], []
    for kind, label, text in rows:
        line = out.count(b"\n") + 1
        if kind == "good":
            cell = io.StringIO(newline="")
            quoting = csv.QUOTE_ALL if "\r" in text else csv.QUOTE_MINIMAL
            csv.writer(cell, lineterminator=end, quoting=quoting).writerow([label, text])
            out += cell.getvalue().encode()
            articles.append((text if end == "\n" else text.replace("\r\n", "\n"), label, line))
        elif kind == "blank":
            out += end.encode()
        else:
            out += kind + end.encode()
            rejects.append(line)
    return out, articles, rejects


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@given(st.lists(st.one_of(good, good, broken, blank), max_size=12))
def test_every_row_comes_back_once_with_its_text_and_its_line(end: str, rows: list[tuple[Any, Any, Any]]) -> None:
    content, articles, rejects = laid_out([("good", "a", "x"), *rows], end)
    with TemporaryDirectory() as raw:
        accepted, refused = read(Path(raw), content)
    assert contents(accepted) == articles
    assert lines(refused) == rejects


# JSON lines


def test_json_lines_give_an_article_per_object(tmp_path: Path) -> None:
    rows = [{"text": "x\ny", "id": 7, "label": "a"}, {"label": "b", "text": "\u2028中 "}]
    content = "".join(json.dumps(row, ensure_ascii=False) + "\r\n\n" for row in rows).encode()
    articles, rejects = read(tmp_path, b"\xef\xbb\xbf" + content, JSONL)
    assert contents(articles) == [("x\ny", "a", 1), ("\u2028中 ", "b", 3)]
    assert rejects.is_empty()
    counted = account(tmp_path, content, JSONL)
    assert (counted["unused"], counted["notes"]["blank lines, skipped"]) == (["id"], 2)


def test_texts_of_several_keys_are_joined_without_those_that_are_null_or_empty(tmp_path: Path) -> None:
    rows = [("T", "B"), ("T", None), ("", "B"), (None, None)]
    content = "".join(json.dumps({"t": t, "b": b, "label": "a"}) + "\n" for t, b in rows).encode()
    articles, _ = read(tmp_path, content, JSONL | {"text": ["t", "b"]})
    assert articles["text"].to_list() == ["T\nB", "T", "B", ""]


def test_whole_numbers_are_labels(tmp_path: Path) -> None:
    articles, _ = read(tmp_path, b'{"label": 0, "text": "x"}\n{"label": 1, "text": "y"}\n', JSONL, numbered_from=0)
    assert articles["label"].to_list() == ["a", "b"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b'{"label": "a", "text": "x"', "not JSON: "),
        (b'{"label": "a", "text": NaN}', "not JSON: "),
        (b'{"label": "a", "text": "\\ud800"}', "not JSON: "),
        (b"{'label': 'a'}", "not JSON: "),
        (b'["a", "x"]', "list, expected an object with keys and values"),
        (b'"a"', "str, expected an object"),
        (b'{"label": "a"}', "no key 'text' (keys: 'label')"),
        (b'{"label": "a", "text": 1}', "not a string: 'text' is int"),
        (b'{"label": "a", "text": ["x"]}', "not a string: 'text' is list"),
        (b'{"label": null, "text": "x"}', "'label' is NoneType, expected a string or an integer"),
        (b'{"label": true, "text": "x"}', "'label' is bool, expected"),
        (b'{"label": 1.0, "text": "x"}', "'label' is float, expected"),
        (b'{"label": "a", "text": "x\\u0000"}', "NUL character in 'text'"),
        (b'{"label": "a", "text": "' + b"x" * 100_001 + b'"}', "too long: 'text' has more than 100,000"),
        (b'{"label": "a", "text": "caf\xe9"}', "not UTF-8"),
        (b'{"label": "a", "text": "x"} {"label": "a", "text": "y"}', "not JSON: "),
        (b'{"label": "a", "text": "' + b"x" * (1 << 20) + b'"}', "line too long"),
    ],
)
def test_a_broken_object_is_a_reject_and_its_neighbors_are_kept(tmp_path: Path, row: bytes, reason: str) -> None:
    good_row = b'{"label": "a", "text": "x"}\n'
    articles, rejects = read(tmp_path, good_row + row + b"\n" + good_row, JSONL)
    assert lines(articles) == [1, 3]
    assert lines(rejects) == [2]
    assert reason in rejects["reason"].item()
    assert rejects["seen"].item().isprintable()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"label": "a", "text": "x"}]\n', "one JSON array; expected JSON lines"),
        (b"", "is empty"),
        (b"\n\n", "contains no rows"),
        (b"PAR1xxxx", "is Parquet; use `format: parquet`"),
        ('{"label": "a", "text": "x"}\n'.encode("utf-16"), "UTF-16"),
        ('{"label": "a", "text": "x"}\n'.encode("utf-16-le"), "UTF-16 without a mark"),
    ],
)
def test_what_is_not_json_lines_is_refused_as_a_whole(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataContractError, match=message):
        read(tmp_path, content, JSONL)


def test_a_key_whose_type_changes_late_is_a_reject_in_its_line(tmp_path: Path) -> None:
    content = b'{"label": "a", "text": "x"}\n' * 70_000 + b'{"label": ["a"], "text": "x"}\n'
    articles, rejects = read(tmp_path, content, JSONL)
    assert (articles.height, lines(rejects)) == (70_000, [70_001])


def test_a_key_that_an_object_lacks_is_a_null_and_one_that_all_lack_is_named(tmp_path: Path) -> None:
    two = JSONL | {"text": ["title", "text"]}
    content = b'{"label": "a", "title": "T", "text": "B"}\n{"label": "a", "title": "T"}\n{"label": "b", "text": "B"}\n'
    assert read(tmp_path, content, two)[0]["text"].to_list() == ["T\nB", "T", "B"]
    with pytest.raises(DataContractError, match=r"no object has the key 'titel' .*\(did you mean 'title'\?\)"):
        read(tmp_path, content, two | {"text": ["titel", "text"]})


BLANK_ROWS = [
    pytest.param(CSV, b"label,text\na,x\n", b",\n", b"a,y\n", id="commas"),
    pytest.param(CSV, b"label,text\na,x\n", "\u3000,\xa0 \n".encode(), b"a,y\n", id="wide spaces"),
    pytest.param(CSV, b"label,text\na,x\n", "\ufeff,\u200b\n".encode(), b"a,y\n", id="zero width"),
    pytest.param(CSV, b"label,text\na,x\n", b'"",""\n', b"a,y\n", id="quoted"),
    pytest.param(CSV, b"label,text\na,x\n", b",,,\n", b"a,y\n", id="too many commas"),
    pytest.param(PLAIN, b"label\ttext\na\tx\n", b"\t\t\n", b"a\ty\n", id="tabs"),
    pytest.param(JSONL, b'{"label": "a", "text": "x"}\n', b"{}\n", b'{"label": "a", "text": "y"}\n', id="no keys"),
    pytest.param(
        JSONL,
        b'{"label": "a", "text": "x"}\n',
        b'{"label": null, "text": " "}\n',
        b'{"label": "a", "text": "y"}\n',
        id="nulls",
    ),
]


@pytest.mark.parametrize(("file", "head", "blank", "tail"), BLANK_ROWS)
def test_rows_that_are_empty_all_over_are_skipped_and_counted(
    tmp_path: Path, file: dict[str, Any], head: bytes, blank: bytes, tail: bytes
) -> None:
    articles, rejects = read(tmp_path, head + blank * 2 + tail, file)
    assert (articles["text"].to_list(), rejects.height) == (["x", "y"], 0)
    assert articles["line"].to_list()[1] == head.count(b"\n") + 3
    assert account(tmp_path, head + blank * 2 + tail, file)["notes"] == {"rows that are empty all over, skipped": 2}


@pytest.mark.parametrize("space", [" ", "\t", "\xa0", "\u3000", "\u200b", "\ufeff", "\u2028"])
def test_white_space_around_a_label_is_not_part_of_it(tmp_path: Path, space: str) -> None:
    content = f"label,text\n{space}a{space},x\nb,y\n".encode()
    assert read(tmp_path, content)[0]["label"].to_list() == ["a", "b"]
    assert account(tmp_path, content, CSV)["notes"] == {"labels with white space around them, taken without it": 1}


def test_a_label_that_is_described_with_its_white_space_keeps_it(tmp_path: Path) -> None:
    assert read(tmp_path, b"label,text\n a,x\nb,y\n", labels=[" a", "b"])[0]["label"].to_list() == [" a", "b"]


# Parquet


def test_rows_of_nulls_are_skipped_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    laid_down(tmp_path, ["x", None, None, "y"], ["a", None, "b", "b"])
    articles, rejects = read_there(tmp_path, PARQUET)
    assert (lines(articles), rejects.height) == ([1, 3, 4], 0)


def laid_down(raw: Path, texts: Any, labels: Any = None, **options: Any) -> None:
    labels = ["a"] * len(texts) if labels is None else labels
    pq.write_table(pa.table({"label": labels, "text": texts}), raw / "raw", **options)


@pytest.mark.parametrize(
    "texts",
    [
        pa.array(["x", "中", "x"]),
        pa.array(["x", "中", "x"], pa.large_string()),
        pa.array(["x", "中", "x"]).dictionary_encode(),
    ],
    ids=["string", "large string", "dictionary"],
)
@pytest.mark.parametrize("labels", [["a", "b", "a"], pa.array(["a", "b", "a"]).dictionary_encode()])
def test_strings_of_every_kind_are_texts_and_labels(tmp_path: Path, texts: Any, labels: Any) -> None:
    laid_down(tmp_path, texts, labels)
    articles, rejects = read_there(tmp_path, PARQUET)
    assert contents(articles) == [("x", "a", 1), ("中", "b", 2), ("x", "a", 3)]
    assert rejects.is_empty()


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.uint16()])
def test_whole_numbers_of_parquet_are_labels(tmp_path: Path, kind: Any) -> None:
    laid_down(tmp_path, ["x", "y"], pa.array([0, 1], kind))
    articles, _ = read_there(tmp_path, PARQUET, numbered_from=0)
    assert articles["label"].to_list() == ["a", "b"]


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ([1, 2], ["a", "b"], "column 'text' has type int64; expected strings"),
        ([["x"], ["y"]], ["a", "b"], "column 'text' has type list"),
        (["x", "y"], [0.0, 1.0], "column 'label' has type double"),
        (["x", "y"], [True, False], "column 'label' has type bool"),
        (pa.array([None, None]), ["a", "b"], "column 'text' has type null"),
    ],
)
def test_columns_of_other_types_are_refused(tmp_path: Path, texts: Any, labels: Any, message: str) -> None:
    laid_down(tmp_path, texts, labels)
    with pytest.raises(DataContractError, match=message):
        read_there(tmp_path, PARQUET)


def test_nulls_of_parquet_are_no_texts_and_no_labels(tmp_path: Path) -> None:
    laid_down(tmp_path, ["x", None, "y"], ["a", "b", None])
    articles, rejects = read_there(tmp_path, PARQUET)
    assert contents(articles) == [("x", "a", 1), ("", "b", 2)]
    assert rejects.select("line", "reason").rows() == [(3, "null, expected a string or an integer, in column 'label'")]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"caf\xe9", "not UTF-8: byte 0xe9 at position 4"),
        (b"a\0b", "NUL character, in column 'text'"),
        (b"x" * 100_001, "too long: more than 100,000 characters, in column 'text'"),
        (b"x" * 500_000, "too long: more than 100,000 characters, in column 'text'"),
    ],
    ids=["Latin-1", "NUL", "long", "very long"],
)
@pytest.mark.parametrize("dictionary", [True, False])
def test_a_bad_value_of_parquet_is_a_reject_and_its_neighbors_are_kept(
    tmp_path: Path, value: bytes, reason: str, dictionary: bool
) -> None:
    texts = pa.array([b"x", value, b"y"]).view(pa.string())
    laid_down(tmp_path, texts, use_dictionary=dictionary)
    articles, rejects = read_there(tmp_path, PARQUET)
    assert lines(articles) == [1, 3]
    assert lines(rejects) == [2]
    assert reason in rejects["reason"].item()
    assert rejects["seen"].item().isprintable()


def test_rows_of_many_batches_and_groups_are_numbered_through(tmp_path: Path) -> None:
    laid_down(tmp_path, [f"text {n}" for n in range(1, 10_001)], row_group_size=3_000, data_page_size=100)
    articles, _ = read_there(tmp_path, PARQUET)
    assert articles.select("text", "line").rows() == [(f"text {n}", n) for n in range(1, 10_001)]


def test_a_parquet_file_without_rows_or_without_a_column_is_refused(tmp_path: Path) -> None:
    laid_down(tmp_path, pa.array([], pa.string()), pa.array([], pa.string()))
    with pytest.raises(DataContractError, match="contains no rows"):
        read_there(tmp_path, PARQUET)
    laid_down(tmp_path, ["x"])
    with pytest.raises(DataContractError, match=r"no column 'Text' among 'label', 'text' \(did you mean 'text'\?\)"):
        read_there(tmp_path, PARQUET | {"text": ["Text"]})


@pytest.mark.parametrize("size", [4, 11, 100, -1])
def test_a_truncated_parquet_file_is_refused(tmp_path: Path, size: int) -> None:
    laid_down(tmp_path, ["x"])
    content = (tmp_path / "raw").read_bytes()
    with pytest.raises(DataContractError, match="is not Parquet, or was truncated"):
        read(tmp_path, content[:size], PARQUET)


# Folders


def lay(raw: Path, **files: bytes) -> None:
    for name, content in files.items():
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_bytes(content)


def test_a_folder_per_class_gives_an_article_per_file(tmp_path: Path) -> None:
    lay(tmp_path, **{"b/2.txt": b"Title\r\n\r\nBody\n", "a/1.txt": b"\xef\xbb\xbfOther", "a/.hidden": b"x"})
    articles, rejects = read_there(tmp_path, FOLDER)
    assert articles.rows() == [("Other", "a", "train", "a/1.txt", 1), ("Title\n\nBody", "b", "train", "b/2.txt", 1)]
    assert rejects.is_empty()


def test_a_folder_below_the_raw_files_can_be_named(tmp_path: Path) -> None:
    lay(tmp_path, **{"news/a/1.txt": b"Text"})
    articles, _ = read_there(tmp_path, FOLDER | {"path": "news"})
    assert articles["file"].to_list() == ["a/1.txt"]


def test_a_folder_without_files_says_what_was_expected(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(DataContractError, match=f"{tmp_path}.*one folder per class"):
        read_there(tmp_path, FOLDER)
    with pytest.raises(DataContractError, match="is not a folder; the description names it"):
        read_there(tmp_path, FOLDER | {"path": "none"})


@pytest.mark.parametrize(
    "name", ["a/1 2.txt", "a/1.2.3", "a/中文 稿件.txt", "a/..txt.", "a/-rf", "a/%2e%2e", "a/\u3000"]
)
def test_names_with_spaces_dots_and_chinese_are_names(tmp_path: Path, name: str) -> None:
    lay(tmp_path, **{name: b"Text", "a/other": b"Text"})
    articles, rejects = read_there(tmp_path, FOLDER)
    seen = name.replace("\u3000", "\\u3000")
    assert sorted(articles["file"]) == sorted(["a/other"] + ([] if "/." in name else [seen]))
    assert rejects.is_empty()


def test_a_name_that_a_terminal_would_obey_is_escaped(tmp_path: Path) -> None:
    lay(tmp_path, **{"a/\x1b[2J\n\u202e.txt": b"Text", "体育/x": b"Text"})
    (tmp_path / os.fsdecode(b"a/\xff.txt")).write_bytes(b"\xff")
    articles, rejects = read_there(tmp_path, FOLDER)
    assert articles.select("file", "label").rows() == [("a/\\x1b[2J\\n\\u202e.txt", "a"), ("体育/x", "体育")]
    assert rejects["file"].to_list() == ["a/\\xff.txt"]


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"Title\n\nIt cost \xa35.\n", 3, "byte 0xa3 at position 16 (save the file as UTF-8"),
        (b"One.\na\0b", 2, "NUL character"),
        (b"\x1f\x8b\x08", 1, "not text: compressed with gzip"),
        (b"%PDF-1.7", 1, "not text: a PDF"),
        (b"\xff\xfea\0", 1, "not text: encoded in UTF-16"),
        (b"x" * ((1 << 20) + 1), 1, "too long: 1,048,577 bytes"),
    ],
)
def test_a_file_that_is_no_text_is_a_reject_and_its_neighbors_are_kept(
    tmp_path: Path, content: bytes, line: int, reason: str
) -> None:
    lay(tmp_path, **{"a/1": b"One.", "a/2": content, "a/3": b"Three."})
    articles, rejects = read_there(tmp_path, FOLDER)
    assert articles["file"].to_list() == ["a/1", "a/3"]
    assert rejects.select("file", "line").rows() == [("a/2", line)]
    assert reason in rejects["reason"].item()
    assert rejects["seen"].item().isprintable()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/etc/passwd", "symlink points outside the corpus folder; copy the target into it"),
        ("/dev/zero", "symlink points outside the corpus folder"),
        ("/etc", "symlink points outside the corpus folder"),
        ("nowhere", "broken symlink"),
        ("link", "broken symlink"),
        ("..", "not a regular file"),
    ],
)
def test_a_link_is_followed_inside_the_corpus_only(tmp_path: Path, target: str, reason: str) -> None:
    lay(tmp_path, **{"a/1": b"One."})
    (tmp_path / "a/link").symlink_to(target)
    (tmp_path / "a/inner").symlink_to("1")
    articles, rejects = read_there(tmp_path, FOLDER)
    assert articles["file"].to_list() == ["a/1", "a/inner"]
    assert rejects["file"].to_list() == ["a/link"]
    assert reason in rejects["reason"].item()


def test_strays_and_pipes_in_a_folder_are_rejects(tmp_path: Path) -> None:
    lay(tmp_path, **{"a/1": b"One.", "stray.txt": b"Two.", "a/b/deep.txt": b"Three."})
    os.mkfifo(tmp_path / "a/pipe")
    articles, rejects = read_there(tmp_path, FOLDER)
    assert articles["file"].to_list() == ["a/1"]
    assert rejects.select("file", pl.col("reason").str.slice(0, 8)).rows() == [
        ("a/b/deep.txt", "not in t"),
        ("a/pipe", "not a re"),
        ("stray.txt", "not in t"),
    ]


# What stops


@pytest.mark.parametrize("file", [CSV, JSONL, PARQUET], ids=["CSV", "JSON lines", "Parquet"])
def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path, file: dict[str, Any]) -> None:
    with pytest.raises(DataContractError, match=r"raw: no such file.*description.*fetched or pulled"):
        read_there(tmp_path, file)


# Any text, any bytes


texts = st.lists(st.text(letters, max_size=30), min_size=1, max_size=8)


@given(texts)
def test_any_text_written_as_csv_comes_back(rows: list[str]) -> None:
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if any("\r" in text for text in rows) else csv.QUOTE_MINIMAL
    csv.writer(out, lineterminator="\n", quoting=quoting).writerows(
        [("label", "text"), *(("a", text) for text in rows)]
    )
    with TemporaryDirectory() as raw:
        articles, _ = read(Path(raw), out.getvalue().encode())
    assert articles["text"].to_list() == rows


@given(st.lists(st.text(letters.filter(lambda c: c not in "\t\n\r"), max_size=30), min_size=1, max_size=8))
def test_any_text_without_tabs_and_line_breaks_comes_back_from_between_tabs(rows: list[str]) -> None:
    content = "label\ttext\n" + "".join(f"a\t{text}\n" for text in rows)
    with TemporaryDirectory() as raw:
        articles, _ = read(Path(raw), content.encode(), PLAIN)
    assert articles["text"].to_list() == rows


@pytest.mark.parametrize("ascii_only", [True, False])
@given(texts)
def test_any_text_written_as_json_lines_comes_back(ascii_only: bool, rows: list[str]) -> None:
    content = "".join(json.dumps({"label": "a", "text": t}, ensure_ascii=ascii_only) + "\n" for t in rows)
    with TemporaryDirectory() as raw:
        articles, _ = read(Path(raw), content.encode(), JSONL)
    assert articles["text"].to_list() == rows


@given(texts, st.booleans())
def test_any_text_written_as_parquet_comes_back(rows: list[str], dictionary: bool) -> None:
    with TemporaryDirectory() as raw:
        laid_down(Path(raw), rows, use_dictionary=dictionary)
        articles, _ = read_there(Path(raw), PARQUET)
    assert articles["text"].to_list() == rows


def refused_or_read(content: bytes, file: dict[str, Any]) -> None:
    """Rows or a named error; and no row twice."""
    with TemporaryDirectory() as raw:
        try:
            articles, rejects = read(Path(raw), content, file)
        except DataContractError as stop:
            assert "raw" in str(stop)
            return
    numbers = [*articles["line"], *rejects["line"]]
    assert len(numbers) == len(set(numbers)) > 0


pieces = st.lists(
    st.sampled_from(
        [b"a", b",", b'"', b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xe4\xb8\xad", b"\t", b"{", b"}", b"x,"]
    ),
    max_size=60,
).map(b"".join)


@pytest.mark.parametrize("file", [CSV, BARE, PLAIN, JSONL, PARQUET], ids=["CSV", "bare", "tabs", "JSON", "Parquet"])
@pytest.mark.parametrize("head", [b"", b"label,text\n", b"label\ttext\n", b"PAR1"])
@given(content=st.one_of(st.binary(max_size=200), pieces))
def test_any_bytes_are_rows_or_a_named_error(file: dict[str, Any], head: bytes, content: bytes) -> None:
    refused_or_read(head + content + (b"PAR1" if head == b"PAR1" else b""), file)


@given(st.integers(0), st.integers(0, 255))
def test_a_parquet_file_with_any_byte_changed_is_rows_or_a_named_error(place: int, byte: int) -> None:
    with TemporaryDirectory() as raw:
        laid_down(Path(raw), ["some text", "more", "中"], compression="zstd")
        content = bytearray((Path(raw) / "raw").read_bytes())
    content[place % len(content)] = byte
    refused_or_read(bytes(content), PARQUET)


@given(st.binary(max_size=200))
def test_any_bytes_in_a_folder_are_an_article_or_a_reject(content: bytes) -> None:
    with TemporaryDirectory() as raw:
        lay(Path(raw), **{"a/1": content})
        articles, rejects = read_there(Path(raw), FOLDER)
    assert articles.height + rejects.height == 1


def test_a_key_that_an_object_has_twice_is_no_article(tmp_path: Path) -> None:
    (tmp_path / "raw.jsonl").write_text('{"text": "x", "label": "a", "text": "y"}\n{"text": "z", "label": "a"}\n')
    contents = jsonlines.read_json(tmp_path, JsonLines(format="jsonl", path="raw.jsonl", text=["text"], label="label"))
    assert contents.rejects.select("line", "reason").rows() == [(1, "a key twice: 'text'")]
    assert contents.articles["text"].to_list() == ["z"]


def test_quotes_that_are_ordinary_characters_are_counted_where_they_enclose_a_field(tmp_path: Path) -> None:
    (tmp_path / "raw.tsv").write_text('label\ttext\na\t"x"\na\ty\n')
    contents = delimited.read_delimited(
        tmp_path,
        Delimited(
            format="csv", path="raw.tsv", delimiter="\t", quotes=False, header=True, text=["text"], label="label"
        ),
    )
    assert contents.notes == {"rows with a field in double quotes, kept with them (`quotes: false`)": 1}
