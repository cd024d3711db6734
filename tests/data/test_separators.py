"""Odd delimiters and headers of numbers are found out, or named; several labels in a cell are told."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc.core.errors import ConfigError
from pydantic import ValidationError

from gazette.cli import app
from gazette.core.corpus import Delimited
from gazette.data import oddities
from gazette.data.coding import Hints
from gazette.data.labels import infer_labels
from gazette.data.readers.columns import Columns
from gazette.data.readers.read import read_file
from gazette.data.sniffing import detect_layout

NAMED = Columns(("text",), "label")
PLACED = Columns(("2",), "1")
ODD = [
    "||",
    "_!_",
    "\t__",
    "|||",
    "::",
    "\x01",
    "\x1f",
    "¦",
    "^",
    "##",
    "@@",
    "\t\t",
    "|~|",
    "$$$",
    " | ",
    "<|>",
    ";;",
    "§",
]
TEXTS = [
    "Shares fell, 5% down",
    "They won; 3:1!",
    "A new phone - cheaper",
    "Rain: again?",
    "Talks (2nd round) fail",
    "It's on",
]
Rows = list[tuple[str, str]]


def lay(folder: Path, content: str) -> Path:
    path = folder / "raw.txt"
    path.write_bytes(content.encode())
    return path


def read(folder: Path, content: str, columns: Columns = NAMED, **hints: Any) -> tuple[Delimited, Rows, int]:
    file = detect_layout(lay(folder, content), columns, Hints(**hints))
    assert isinstance(file, Delimited)
    result = read_file(file, folder)
    return file, result.articles.select("text", "label").rows(), result.rejects.height


# Delimiters


@pytest.mark.parametrize("delimiter", ODD)
@pytest.mark.parametrize("columns", [NAMED, PLACED], ids=["header", "positions"])
def test_an_odd_delimiter_is_found_out(tmp_path: Path, delimiter: str, columns: Columns) -> None:
    rows = [(TEXTS[number % 6] + f" {number}", "ab"[number % 2]) for number in range(30)]
    head = f"id{delimiter}label{delimiter}text\n" if columns is NAMED else ""
    lines = [f"{n}{delimiter}{label}{delimiter}{text}\n" for n, (text, label) in enumerate(rows)]
    wanted = columns if columns is NAMED else Columns(("3",), "2")
    file, articles, rejects = read(tmp_path, head + "".join(lines), wanted)
    assert (file.delimiter, rejects) == (delimiter, 0)
    assert articles == rows


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=12)


@given(st.lists(st.tuples(words, st.sampled_from("ab")), min_size=1, max_size=12), st.sampled_from(ODD))
def test_whatever_is_quoted_between_odd_delimiters_is_read_back(rows: Rows, delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter="\ufdd0", lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(
        [("text", "label"), *rows]
    )
    with TemporaryDirectory() as folder:
        content = out.getvalue().replace("\ufdd0", delimiter)
        _, articles, rejects = read(Path(folder), content, delimiter=delimiter)
    assert (articles, rejects) == ([row for row in rows if "".join(row).strip()], 0)


@pytest.mark.parametrize(("end", "start"), [(".", ""), (" ?", ""), ("”", "#"), (".", "(")])
@pytest.mark.parametrize("delimiter", [",", "\t", "\x01", "||"])
def test_punctuation_beside_a_delimiter_stays_with_the_text(
    tmp_path: Path, delimiter: str, end: str, start: str
) -> None:
    rows = [(f"{words}{end}", f"{start}{label}") for words, label in [("One won", "a"), ("Two lost", "b")] * 4]
    content = "".join(f"{text}{delimiter}{label}\n" for text, label in rows)
    assert read(tmp_path, content, Columns(("1",), "2"))[1] == rows


def test_a_delimiter_inside_quotes_parts_nothing(tmp_path: Path) -> None:
    content = 'label||text\na||"one || two ""three"""\nb||four\n'
    assert read(tmp_path, content)[1] == [('one || two "three"', "a"), ("four", "b")]


def test_lines_of_rejects_are_those_of_the_file(tmp_path: Path) -> None:
    file = detect_layout(lay(tmp_path, "label_!_text\na_!_x\n\nb_!_y_!_z\nb_!_w\n"), NAMED)
    assert read_file(file, tmp_path).rejects["line"].to_list() == [4]


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("text,label\na || b,x\nc || d,y\n", ","),
        ("label\ttext\na\tone || two\nb\tthree || four\n", "\t"),
        ("text|label\na,x|y\nb|z\n", "|"),
        ("label;text\na;x - y\nb;z - w\n", ";"),
    ],
)
def test_a_regular_run_in_the_texts_does_not_outweigh_the_delimiter(
    tmp_path: Path, content: str, delimiter: str
) -> None:
    assert read(tmp_path, content)[0].delimiter == delimiter


@pytest.mark.parametrize(
    ("word", "delimiter"), [("||", "||"), (r"\t", "\t"), (r"\x01", "\x01"), (r"\t__", "\t__"), ("¦", "¦"), ("\t", "\t")]
)
def test_the_option_names_a_delimiter(tmp_path: Path, word: str, delimiter: str) -> None:
    content = f"text{delimiter}label\n" + "".join(f"x{number}{delimiter}{'ab'[number % 2]}\n" for number in range(9))
    columns = ["--text", "text", "--label", "label", "--delimiter", word]
    path = lay(tmp_path, content)
    result = CliRunner().invoke(
        app.gazette, ["corpus", "add", "x", "--lang", "en", "--train", str(path), *columns, "--dry-run"]
    )
    assert result.exit_code == 0, result.output
    assert "9 rows" in result.output


@pytest.mark.parametrize("word", ["", '"', "\n", "x" * 11, r"\x00"])
def test_what_cannot_part_fields_is_refused(tmp_path: Path, word: str) -> None:
    path = lay(tmp_path, "text,label\n")
    result = CliRunner().invoke(
        app.gazette, ["corpus", "add", "x", "--lang", "en", "--train", str(path), "--delimiter", word]
    )
    assert result.exit_code == 2
    with pytest.raises(ValidationError):
        Delimited(
            format="csv", path="x", delimiter=word.replace(r"\x00", "\0"), header=True, text=["text"], label="label"
        )


# Headers of numbers

ROWS = "".join(f"{n},Title number {n} of the day,{n % 3}\n" for n in range(30))


@pytest.mark.parametrize(
    ("content", "columns", "label"),
    [
        ("1,2,3\n" + ROWS, Columns(("2",), "3"), "3"),
        ("0,1,2\n" + ROWS, Columns(("1",), "0"), "0"),
        (",0,1\n" + ROWS, Columns(("0",), "1"), "1"),
    ],
    ids=["positions", "from 0", "pandas"],
)
def test_a_header_of_numbers_is_no_article(tmp_path: Path, content: str, columns: Columns, label: str) -> None:
    file, articles, _ = read(tmp_path, content, columns)
    assert (file.header, file.label, len(articles)) == (True, label, 30)


def test_a_header_of_numbers_that_positions_would_read_otherwise_is_a_question(tmp_path: Path) -> None:
    content = ",0,1\n" + ROWS
    with pytest.raises(ConfigError, match=r"line 1 looks like a header of numbers \('', '0', '1'\): with --header"):
        read(tmp_path, content, Columns(("2",), "3"))
    assert len(read(tmp_path, content, Columns(("2",), "3"), header=False)[1]) == 31
    assert read(tmp_path, content, Columns(("0",), "1"), header=True)[1][0] == ("Title number 0 of the day", "0")


def test_rows_of_numbers_are_no_header(tmp_path: Path) -> None:
    assert len(read(tmp_path, "1,2\n2,1\n1,7\n2,9\n", PLACED)[1]) == 4


def test_names_without_a_header_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="without a header, --text and --label are positions, from 1"):
        read(tmp_path, "text,label\nx,a\n", header=False)


# Several labels in a cell


def table(labels: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"label": labels, "split": "train", "place": [f"raw.csv, line {n + 2}" for n in range(len(labels))]}
    )


@pytest.mark.parametrize(
    "several",
    [
        "trade|sport", "trade;sport", "trade; sport", "trade, sport", "trade,sport", "['trade', 'sport']", "['trade']",
        '["trade"]', "[trade, sport]", "('trade', 'sport')", "{'trade', 'sport'}", "trade/sport", "trade、sport",
        "[]", "trade | sport | trade",
    ],
)  # fmt: skip
def test_several_labels_in_a_cell_are_told_with_what_to_do(several: str) -> None:
    with pytest.raises(ConfigError, match=r"raw\.csv, line 4: .* several labels in one cell.* --classes FILE"):
        infer_labels(table(["trade", "sport", several, "trade"]))


def test_cells_that_all_hold_several_labels_are_told_too() -> None:
    with pytest.raises(ConfigError, match="several labels in one cell"):
        infer_labels(table(["trade|sport", "sport|art", "art|trade", "trade|art"]))


@pytest.mark.parametrize(
    "labels", [["Sci/Tech", "World"], ["Arts, Culture", "World"], ["U.S. | Canada", "World"], ["A&B", "A"]]
)
def test_a_separator_in_the_name_of_a_class_is_nothing(labels: list[str]) -> None:
    assert infer_labels(table(labels * 2)).labels == sorted(labels)


def test_what_looks_like_a_null_is_counted_by_name() -> None:
    articles = pl.DataFrame({"label": ["NULL", "a", "NULL", r"\N"], "text": ["x", "nan", "N/A", "Nan is a name"]})
    assert oddities.count_nulls(articles) == [
        ("label", "NULL", 2),
        ("label", r"\N", 1),
        ("text", "N/A", 1),
        ("text", "nan", 1),
    ]


def test_nulls_are_pointed_out_before_a_corpus_is_added(tmp_path: Path) -> None:
    path = lay(tmp_path, "text,label\nx,a\ny,NULL\nNone,a\nw,NULL\n")
    words = ["--lang", "en", "--train", str(path), "--text", "text", "--label", "label", "--dry-run"]
    output = CliRunner().invoke(app.gazette, ["corpus", "add", "x", *words]).output
    assert "The label 'NULL' of 2 rows looks like a null" in output
    assert "The text 'None' of 1 row looks like a null" in output
