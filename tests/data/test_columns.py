"""A column that is missing is named with the likeliest reason."""

from pathlib import Path

import pytest
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.core.escape import quote
from gazette.data.readers import columns
from gazette.data.readers.columns import Columns

DATA = " (the first row looks like data; if there is no header, columns are positions, from 1)"


@pytest.mark.parametrize(
    ("column", "names", "delimiter", "hint"),
    [
        (3, [1, 2], ",", " (the rows have 2 columns)"),
        ("2", ["a"], ",", " (the rows have 1 column)"),
        ("text", ["# exported", "b"], ",", " (a comment stands where the header is expected)"),
        ("text", ["SEP=;"], ",", " (Excel's own first line stands where the header is expected; remove it)"),
        ("text", ["sep=", "b"], ";", " (Excel's own first line stands where the header is expected; remove it)"),
        ("text", ['{"text": 1', '"label": "a"}'], ",", " (this looks like JSON lines; use `format: jsonl`)"),
        ("n" * 50, [f" {'n' * 50}"], ",", f" (there are spaces around {quote(' ' + 'n' * 50, 40)})"),
        ("n" * 50, ["n" * 49 + "N"], ",", f" (did you mean {quote('n' * 50, 40)}?)"),
        ("text", [' {"text": 1'], ",", " (this looks like JSON lines; use `format: jsonl`)"),
        ("text", ["label;text"], ",", " (is a semicolon the delimiter?)"),
        ("text", ["label;text"], ";", ""),
        ("text", ["label|x", "y"], ",", ""),  # more than one column: the delimiter is right
        ("text", ["label", " text "], ",", " (there are spaces around ' text ')"),
        ("text", ["label", "Text"], ",", " (did you mean 'Text'?)"),
        (
            "R\u00e9sum\u00e9",
            ["label", "Re\u0301sume\u0301"],
            ",",
            " (did you mean 'Re\u0301sume\u0301'?) (the name here has U+00E9 LATIN SMALL LETTER E WITH ACUTE; "
            "that in the file has U+0301 COMBINING ACUTE ACCENT)",
        ),
        ("titel", ["label", "title", "text"], ",", " (did you mean 'title'?)"),
        ("text", ["b", "x" * 31], ",", DATA),
        ("text", ["b", "x" * 30], ",", ""),
        ("text", ["b", "oil fell"], ",", DATA),
        ("text", ["b", " oil "], ",", ""),
        ("text", ["b", "5"], ",", DATA),
    ],
)
def test_a_missing_column_has_a_hint(column: str | int, names: list[str | int], delimiter: str, hint: str) -> None:
    assert columns.missing_column_hint(column, names, delimiter) == hint


def test_a_column_has_its_index_and_one_that_is_missing_or_there_twice_is_refused() -> None:
    path = Path("raw.csv")
    assert [columns.column_index(name, ["label", "text"], path, ",") for name in ("label", "text")] == [0, 1]
    assert columns.column_index(2, [1, 2], path, ",") == 1
    for names, problem in (
        (["label", "Text"], r"no column 'text' among 'label', 'Text' \(did you mean 'Text'\?\)"),
        (["text", "text"], "more than one column 'text' among 'text', 'text'"),
    ):
        with pytest.raises(DataContractError, match=f"raw.csv, line 1: {problem}; correct the corpus's description"):
            columns.column_index("text", names, path, ",")


def test_the_first_twenty_columns_are_listed() -> None:
    assert columns.quote_columns([f"c{number}" for number in range(25)]).split(", ") == [
        f"'c{number}'" for number in range(20)
    ]
    assert columns.quote_columns(["n" * 50]) == quote("n" * 50, 40) != quote("n" * 50, 41)


def test_columns_that_options_name_must_be_there_once() -> None:
    columns.check_columns(["label", "text", "x", "x"], Path("raw.csv"), Columns(("text",), "label"))
    with pytest.raises(ConfigError, match=r"no column 'titel' .*did you mean 'title'.*; --text and --label name"):
        columns.check_columns(["label", "title"], Path("raw.csv"), Columns(("titel",), "label"))
    with pytest.raises(ConfigError, match=r"no column 'id' .*; --test-text and --test-id name columns"):
        columns.check_columns(["a", "text"], Path("raw.csv"), Columns(("text",), "id", "--test-", "id"))
    with pytest.raises(ConfigError, match=r"more than one column 'text' .*; --text name columns"):
        columns.check_columns(["text", "text"], Path("raw.csv"), Columns(("text",), None))


def test_the_label_is_the_last_of_the_columns_and_without_one_the_last_text() -> None:
    labeled, bare = Columns(("title", "text"), "label"), Columns(("title", "text"), None)
    assert labeled.all == ("title", "text", "label") and bare.all == ("title", "text")
    assert (labeled.last, bare.last) == ("label", "text")
    assert (labeled.options, bare.options) == (["--text", "--label"], ["--text"])
