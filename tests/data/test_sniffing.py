"""The layout of a file is detected as a person would see it, and is what the reader then reads."""

import csv
import io
import json
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc.core.errors import CommandError, ConfigError, DataContractError

from gazette.core.corpus import Delimited, JsonLines, Parquet
from gazette.data.coding import Hints
from gazette.data.readers.columns import Columns
from gazette.data.readers.read import read_file
from gazette.data.sniffing import detect_layout

NAMED = Columns(("text",), "label")
PLACED = Columns(("2",), "1")
TEST = Columns(("text",), "label", "--test-")


def sniffed(folder: Path, content: str | bytes, columns: Columns = NAMED, name: str = "raw.txt") -> Any:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return detect_layout(path, columns)


def read(folder: Path, content: str | bytes, columns: Columns = NAMED) -> tuple[list[tuple[str, str]], int]:
    file = sniffed(folder, content, columns)
    result = read_file(file, folder)
    return result.articles.select("text", "label").rows(), result.rejects.height


# Braces and brackets


@pytest.mark.parametrize("head", ["{text},label", "text,label"])
def test_a_text_or_a_header_in_braces_is_no_json(tmp_path: Path, head: str) -> None:
    content = f"{head}\n" + "".join(f"{{{number}}} words,{number % 2}\n" for number in range(6))
    file = sniffed(tmp_path, content, Columns((head.split(",")[0],), "label"), "news.csv")
    assert read_file(file, tmp_path).articles["text"].to_list()[:2] == ["{0} words", "{1} words"]


@pytest.mark.parametrize("name", ["news.jsonl", "news.json", "news.txt"])
@pytest.mark.parametrize(
    "content",
    ['["One won", "a"]\n["Two", "b"]\n', '[1, "One"]\n', '["One", "Two"]', '[\n "One",\n "Two"\n]', '[["a", "b"]]'],
)
def test_arrays_of_values_are_named_as_that(tmp_path: Path, content: str, name: str) -> None:
    with pytest.raises(DataContractError, match=r"JSON arrays of values.*write an object for each article"):
        sniffed(tmp_path, content, NAMED, name)


@pytest.mark.parametrize("indent", [None, 1])
def test_articles_in_a_list_of_one_object_are_named_with_the_command_that_takes_them_out(
    tmp_path: Path, indent: int | None
) -> None:
    articles = [{"text": f"{number} won", "label": "ab"[number % 2]} for number in range(6)]
    content = json.dumps({"version": 1, "source": 'a, "b"', "data": articles}, indent=indent)
    with pytest.raises(DataContractError, match=r"articles in its list 'data'.*jq -c '\.data\[\]' news\.json"):
        sniffed(tmp_path, content, NAMED, "news.json")


def test_a_list_of_objects_in_an_article_is_no_list_of_articles(tmp_path: Path) -> None:
    article = {"authors": [{"name": "A"}], "text": "One won", "label": "a"}
    assert sniffed(tmp_path, json.dumps(article) + "\n", NAMED, "news.jsonl").format == "jsonl"


def test_statements_of_sql_are_named_as_that(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"statements of SQL; load them into a database"):
        sniffed(tmp_path, "INSERT INTO `news` VALUES ('One won','a');\n" * 3)


def test_labels_before_a_blank_are_named_as_fasttext_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"line 1: `__label__`.*fastText.*put a tab"):
        sniffed(tmp_path, "__label__a One won, again\n__label__b Two lost, again\n")


# Separated values


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize(("columns", "head"), [(NAMED, ["label", "text"]), (PLACED, None)])
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str, columns: Columns, head: list[str] | None) -> None:
    rows = [["a", "one, two"], ["b", "three; four | five"], ["a", "six"], ["b", "seven"]]
    content = io.StringIO()
    csv.writer(content, delimiter=delimiter, lineterminator="\n").writerows([head, *rows] if head else rows)
    file = sniffed(tmp_path, content.getvalue(), columns)
    assert (file.delimiter, file.header) == (delimiter, head is not None)
    assert read_file(file, tmp_path).articles.select("label", "text").rows() == [tuple(row) for row in rows]


def test_titles_with_stray_quotes_between_tabs_are_not_quoted(tmp_path: Path) -> None:
    content = 'text\tlabel\n"Never" again\t0\n"Open\t1\nA "word"\t0\n"Whole"\t1\n'
    assert not sniffed(tmp_path, content).quotes
    assert read(tmp_path, content)[0][3] == ('"Whole"', "1")


def test_a_quote_that_is_cut_off_at_the_end_leaves_the_other_rows_quoted(tmp_path: Path) -> None:
    rows, rejected = read(tmp_path, "text,label\n" + '"One won",a\n"Two lost",b\n' * 5 + '"Three are o,a')
    assert (rows[0], len(rows), rejected) == (("One won", "a"), 10, 1)


def test_one_title_that_is_a_quotation_makes_no_quoted_file(tmp_path: Path) -> None:
    assert not sniffed(tmp_path, 'text\tlabel\n"Whole"\t1\nOther\t0\n').quotes


@pytest.mark.parametrize(
    "content",
    [
        '"text"\t"label"\n"x"\t"a"\n"y"\t"b"\n',
        'text\tlabel\n"He said ""no"""\ta\ny\tb\n',
        'text\tlabel\n"x\ty"\ta\ny\tb\n',
        'text\tlabel\nGoal\tsport\n"Bank, more"\t"trade, x"\n',
    ],
)
def test_quotes_between_tabs_are_quotes_where_something_shows_it(tmp_path: Path, content: str) -> None:
    assert sniffed(tmp_path, content).quotes


@pytest.mark.parametrize(
    "content",
    [
        '"Peace, now"\ta\nOther\tb\n',
        '"Peace, now"\ta\n"War, never"\tb\nOther, too\tb\n',
        '"Peace, now"\ta\n"War, never"\tb\n"Whole"\tb\nPlain\tb\n',
        '"Peace, now"\ta\n"War, never"\tb\nA "word"\tb\n',
    ],
)
def test_quotations_with_commas_between_tabs_keep_their_quotes_where_other_fields_are_not_excels(
    tmp_path: Path, content: str
) -> None:
    assert not sniffed(tmp_path, f"text\tlabel\n{content}").quotes


texts = st.text('abc," ', min_size=1, max_size=8).filter(str.strip)


@given(st.lists(st.tuples(texts, st.sampled_from(["sport", "trade, x"])), max_size=20))
def test_what_excel_writes_between_tabs_is_read_as_it_was(rows: list[tuple[str, str]]) -> None:
    rows = [("Bank", "trade, x"), ("Law", "trade, x"), ("Goal", "sport"), *rows]
    quoted = [['"{}"'.format(v.replace('"', '""')) if set(v) & set(',"') else v for v in row] for row in rows]
    content = "text\tid\tlabel\r\n" + "".join(f"{text}\t1\t{label}\r\n" for text, label in quoted)
    with TemporaryDirectory() as folder:
        assert read(Path(folder), content) == (rows, 0)


def test_a_bad_quote_in_a_file_that_quotes_everything_changes_nothing(tmp_path: Path) -> None:
    rows = "".join(f'"{label}","text {number}"\n' for number in range(60) for label in "ab")
    articles, rejects = read(tmp_path, rows + '"a","no"thing"\n', PLACED)
    assert (len(articles), rejects) == (120, 1)
    assert articles[0] == ("text 0", "a")


def test_a_comma_in_every_text_does_not_outweigh_the_tab(tmp_path: Path) -> None:
    content = "".join(f"{label}\tGoal, number {number}\n" for number in range(5) for label in "ab")
    assert sniffed(tmp_path, content, PLACED).delimiter == "\t"


def test_a_tab_in_every_text_does_not_outweigh_the_comma(tmp_path: Path) -> None:
    content = "".join(f"{label},Word{number}\tGoal\n" for number in range(5) for label in "ab")
    assert sniffed(tmp_path, content, PLACED).delimiter == ","


def test_a_faulty_row_changes_nothing(tmp_path: Path) -> None:
    content = b"text,label\nx,a\ny, and z,b\n\ncaf\0,a\nw,b\n"
    assert sniffed(tmp_path, content) == Delimited(
        format="csv", path="raw.txt", header=True, text=["text"], label="label"
    )
    assert read(tmp_path, content) == ([("x", "a"), ("w", "b")], 2)


def test_text_columns_keep_the_order_in_which_they_were_asked_for(tmp_path: Path) -> None:
    assert sniffed(tmp_path, "1,b,t\n2,b,t\n1,b,t\n2,b,t\n", Columns(("3", "2"), "1")).text == [3, 2]


def test_a_row_cut_by_the_end_of_the_sample_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gazette.data.sniffing.SAMPLE_BYTES", 25)
    assert sniffed(tmp_path, "text,label\n" + "xxxx,a\nyyyy,b\n" * 9).delimiter == ","


@pytest.mark.parametrize(
    "hostile", ['"' * 99_999, '\t"' + '""' * 40_000, "[" * 99_999, '{"a":' * 20_000, ",\t;|" * 25_000]
)
def test_a_hostile_file_costs_no_time(tmp_path: Path, hostile: str) -> None:
    started = time.monotonic()
    with suppress(CommandError):
        read(tmp_path, "\n".join([hostile] * 5), PLACED)
    assert time.monotonic() - started < 10


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)


@given(
    st.lists(st.tuples(words, st.sampled_from(["a", "b"])), min_size=1, max_size=12),
    st.sampled_from([",", "\t", ";", "|"]),
)
def test_whatever_a_csv_writer_wrote_is_read_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    content = io.StringIO()
    writer = csv.writer(content, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "label"), *rows])
    with TemporaryDirectory() as folder:
        articles, rejects = read(Path(folder), content.getvalue())
    assert (articles, rejects) == (rows, 0)


# Headers and columns


@pytest.mark.parametrize(
    "content",
    ["class\ttext\n" + "a\tx\nb\ty\n" * 2, "class\ttext\n1\tx\n2\ty\n"],
)
def test_a_header_that_positions_would_take_for_an_article_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigError, match=r"line 1 looks like a header.*\(--text 'text' --label 'class'\)"):
        sniffed(tmp_path, content, PLACED)


def test_a_header_of_numbers_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"line 1 looks like a header of numbers \('0', '1'\): with --header, --text"):
        sniffed(tmp_path, "0\t1\n" + "a\tx\nb\ty\n" * 2, PLACED)


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("label,Text\na,x\n", NAMED, r"no column 'text' among 'label', 'Text' \(did you mean 'Text'\?\); --text and"),
        ("label, text\na,x\n", NAMED, r"there are spaces around ' text'"),
        (
            "1,A headline that is longer than a name\n",
            TEST,
            r"looks like data.*positions.*--test-text and --test-label",
        ),
        ("a,x\nb,y\n", Columns(("3",), "1"), r"no column '3' among '1', '2' \(the rows have 2 columns\)"),
        ("a,x\nb,y\n", Columns(("2",), "0"), r"columns are counted from 1, but --text or --label is 0"),
        ('{"body": "x", "label": "a"}\n', NAMED, r"no column 'text' among 'body', 'label'"),
        ("label\tte\u200bxt\na\tx\n", NAMED, r"did you mean 'te\\u200bxt'"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_those_that_are(
    tmp_path: Path, content: str, columns: Columns, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        sniffed(tmp_path, content, columns)


def test_a_full_width_comma_is_no_delimiter_unless_it_is_named(tmp_path: Path) -> None:
    content = "text，label\n球赛，体育\n股市，财经\n"
    with pytest.raises(ConfigError, match=r"is the full-width ， the delimiter\? Then .* name it by --delimiter"):
        sniffed(tmp_path, content)
    assert detect_layout(tmp_path / "raw.txt", NAMED, Hints(delimiter="，")).delimiter == "，"


def test_a_column_that_a_parquet_file_has_not_is_named_alike(tmp_path: Path) -> None:
    pl.DataFrame({"body": ["x"], "label": ["a"]}).write_parquet(tmp_path / "raw.parquet")
    with pytest.raises(ConfigError, match="no column 'text' among 'body', 'label'"):
        detect_layout(tmp_path / "raw.parquet", NAMED)


# Formats


def test_json_lines_are_known_by_their_content(tmp_path: Path) -> None:
    content = "\n".join(json.dumps({"text": "x", "label": label, "more": [1]}) for label in "ab")
    assert sniffed(tmp_path, content) == JsonLines(format="jsonl", path="raw.txt", text=["text"], label="label")


def test_json_lines_may_begin_with_a_bad_line(tmp_path: Path) -> None:
    assert sniffed(tmp_path, 'oops\n{"text": "x", "label": "a"}\n{"text": "y", "label": "b"}\n').format == "jsonl"


def test_keys_that_are_numbers_are_keys(tmp_path: Path) -> None:
    assert sniffed(tmp_path, '{"1": "a", "2": "x"}\n{"1": "b", "2": "y"}\n', PLACED).label == "1"


def test_parquet_is_known_by_its_content(tmp_path: Path) -> None:
    pl.DataFrame({"text": ["x"], "label": ["a"]}).write_parquet(tmp_path / "raw.data")
    assert detect_layout(tmp_path / "raw.data", NAMED) == Parquet(
        format="parquet", path="raw.data", text=["text"], label="label"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("raw.csv", b"PAR1....PAR1", "contains Parquet, but its name says separated values"),
        ("raw.csv", b'{"text": "x", "label": "a"}\n', "contains JSON lines, but its name says separated values"),
        ("raw.jsonl", b"text,label\nx,a\n", "contains separated values, but its name says JSON lines"),
        ("raw.parquet", b"text,label\nx,a\n", "contains separated values, but its name says Parquet"),
        ("raw.csv", b"PK\x03\x04 and so on", r"cannot be unpacked \(zip\): File is not a zip file"),
        ("raw.csv", b"\x1f\x8b and so on", r"cannot be unpacked \(gzip\): .* was it copied completely\?"),
        ("raw.csv", b"", r"empty \(0 bytes\)"),
        ("raw.csv", b"\n \n\n", "nothing but blank lines"),
    ],
)
def test_a_file_that_is_not_what_it_claims_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(DataContractError, match=message):
        sniffed(tmp_path, content, name=name)


def test_a_folder_is_a_folder_per_class(tmp_path: Path) -> None:
    assert detect_layout(tmp_path, NAMED).format == "folder"


@pytest.mark.parametrize("name", ["part-00000.csv", "sport/more.csv.gz", "sport/1.json", "label=sport/part-0.parquet"])
def test_a_table_in_a_folder_is_no_article(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("text,label\na,b\n")
    with pytest.raises(
        ConfigError, match=rf"{name}: by their names, files in .* are tables \(1\).* Pass each table by itself"
    ):
        detect_layout(tmp_path, NAMED)


@pytest.mark.parametrize(
    ("content", "columns", "delimiter", "quotes"),
    [
        ('text\n"a, b"\nc\n', Columns(("text",), None), ",", True),
        ("text\na, b\nc\n", Columns(("text",), None), "\t", False),
        ('"a, b",7\nc,8\n', Columns(("1",), None), ",", True),
        ("a, b\nc\nd, e, f\n", Columns(("1",), None), "\t", False),
        ("id\ttext\n7\ta, b\n", Columns(("text",), "id", role="id"), "\t", False),
        ("7|a, b\n8|c\n", Columns(("2",), "1", role="id"), "|", True),
    ],
)
def test_a_file_without_labels_is_found_out_too(
    tmp_path: Path, content: str, columns: Columns, delimiter: str, quotes: bool
) -> None:
    (tmp_path / "a.txt").write_text(content)
    result = detect_layout(tmp_path / "a.txt", columns)
    assert isinstance(result, Delimited)
    assert (result.delimiter, result.quotes) == (delimiter, quotes)


def test_a_header_above_identifiers_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n7,a\n8,b\n")
    with pytest.raises(ConfigError, match="line 1 looks like a header: name its columns"):
        detect_layout(tmp_path / "a.csv", Columns(("2",), "1", role="id"))
    with pytest.raises(ConfigError, match="--text and --id name columns"):
        detect_layout(tmp_path / "a.csv", Columns(("text",), "key", role="id"))
