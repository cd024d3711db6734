"""The row contract: which rows are articles, and atomic writes of tables."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.errors import SchemaErrors
from prefect_dvc.core.errors import DataContractError

from gazette.core import articles

GOOD = {"text": "A word.", "label": "a", "split": "train", "file": "f.csv", "line": 2}
BREACHES: list[tuple[dict[str, Any], str]] = [
    ({"text": ""}, "no word"),
    ({"text": " \n"}, "no word"),
    ({"text": "?!…"}, "no word"),
    ({"text": "a\0b"}, "NUL character"),
    ({"text": "a" * 100_001}, "too long"),
    ({"text": None}, "not_nullable"),
    ({"text": "\u00a0\u200b\u3000\ufeff"}, "no word"),
    ({"text": "\ufffd\ufffd"}, "no word"),
    ({"label": "c"}, "unknown label 'c': the description names a, b"),
    ({"label": "A"}, "unknown label 'A': did you mean 'a'?"),
    ({"label": ""}, "unknown label '': the description names a, b"),
    ({"label": None}, "not_nullable"),
    ({"split": "dev"}, "isin"),
    ({"file": ""}, "str_length"),
    ({"line": 0}, "greater_than_or_equal_to(1)"),
]


def rows(*changes: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([GOOD | change for change in changes])


@pytest.mark.parametrize(("change", "reason"), BREACHES)
def test_a_row_that_breaks_a_rule_is_quarantined_alone_with_its_reason(change: dict[str, Any], reason: str) -> None:
    valid, rejects = articles.split_invalid(rows({"line": 1}, {"line": 2} | change, {"line": 3}), ["a", "b"])
    assert valid["line"].to_list() == [1, 3]
    assert rejects["line"].to_list() == [change.get("line", 2)]
    assert reason in rejects["reason"].item()


@pytest.mark.parametrize("text", ["7", "五", "é", "a" * 100_000, "a\tb", "NA", "🎉", "\u202ea", "<b>", "Z\u0351\u0352"])
def test_one_letter_digit_or_symbol_of_any_script_is_enough(text: str) -> None:
    valid, rejects = articles.split_invalid(rows({"text": text}), ["a", "b"])
    assert (valid.height, rejects.height) == (1, 0)


def test_a_reject_names_its_place_all_its_reasons_and_what_was_seen() -> None:
    _, rejects = articles.split_invalid(rows({"text": "?" * 300, "label": "c", "line": 9}), ["a", "b"])
    assert rejects.drop("reason").rows() == [("train", "f.csv", 9, ("c: " + "?" * 300)[:200])]
    assert "no word" in rejects["reason"].item()
    assert "; " in rejects["reason"].item()
    assert "unknown label" in rejects["reason"].item()


def test_a_reject_without_a_label_shows_its_text() -> None:
    _, rejects = articles.split_invalid(rows({"label": None}), ["a", "b"])
    assert "A word." in (rejects["seen"].item() or "")


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("Sport", "unknown label 'Sport': did you mean 'sport'?"),
        ("sport ", "unknown label 'sport ': did you mean 'sport'?"),
        ("trad", "unknown label 'trad': did you mean 'Trade'?"),
        ("sp\u043ert", "unknown label 'sp\u043ert' (U+043E): did you mean 'sport'?"),
        ("sport\u200b", "unknown label 'sport\\u200b' (U+200B): did you mean 'sport'?"),
        ("\x1b[2J\u202e", "unknown label '\\x1b[2J\\u202e' (U+202E): the description names sport, Trade"),
        ("weather", "unknown label 'weather': the description names sport, Trade"),
    ],
)
def test_an_unknown_label_is_shown_with_what_it_may_have_been_meant_to_be(label: str, reason: str) -> None:
    _, rejects = articles.split_invalid(rows({"label": label}), ["sport", "Trade"])
    assert rejects["reason"].to_list() == [reason]
    assert reason.isprintable()
    assert rejects["seen"].item().isprintable()


def test_a_chinese_label_is_foreign_only_where_no_label_has_its_characters() -> None:
    assert (
        articles.unknown_label_reason("体", ["体育", "财经"]) == "unknown label '体': the description names 体育, 财经"
    )
    assert articles.unknown_label_reason("體育", ["体育", "财经"]).startswith("unknown label '體育' (U+9AD4): ")


def test_a_label_of_any_length_makes_a_short_reason() -> None:
    _, rejects = articles.split_invalid(rows({"label": "x" * 100_000}), ["a", "b"])
    assert len(rejects["reason"].item()) < 200
    assert len(rejects["seen"].item()) == 200


def test_rows_stay_in_their_order() -> None:
    numbers = [5, 2, 9, 1, 7]
    table = rows(*({"line": line, "text": "?" if line == 9 else f"word {line}"} for line in numbers))
    assert articles.split_invalid(table, ["a", "b"])[0]["line"].to_list() == [5, 2, 1, 7]


def test_two_corpora_with_other_labels_do_not_disturb_each_other() -> None:
    assert articles.split_invalid(rows({"label": "a"}), ["a", "b"])[1].is_empty()
    assert articles.split_invalid(rows({"label": "体育"}), ["体育", "财经"])[1].is_empty()
    assert articles.split_invalid(rows({"label": "体育"}), ["a", "b"])[1].height == 1
    articles.Article.validate(rows({"label": "any"}))


def test_no_rows_are_sorted_out_of_no_rows() -> None:
    valid, rejects = articles.split_invalid(rows({}).clear(), ["a", "b"])
    assert (valid.height, rejects.height) == (0, 0)


letters = st.characters(codec="utf-8", exclude_characters="\0")


@given(st.lists(st.text(letters).map(lambda text: text + "x"), max_size=5))
def test_any_text_comes_back_as_it_was_written(texts: list[str]) -> None:
    table = rows({}).clear().vstack(rows(*({"text": text} for text in texts))) if texts else rows({}).clear()
    with TemporaryDirectory() as folder:
        articles.write_articles(Path(folder) / "new" / "articles.parquet", table)
        assert articles.read_articles(Path(folder) / "new" / "articles.parquet").equals(table)


def test_equal_tables_are_equal_bytes(tmp_path: Path, english: pl.DataFrame) -> None:
    articles.write_articles(tmp_path / "one.parquet", english)
    articles.write_articles(tmp_path / "two.parquet", pl.concat([english[:30], english[30:]], rechunk=False))
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda table: table.with_columns(text=pl.lit("?")),
        lambda table: table.with_columns(extra=pl.lit(1)),
        lambda table: table.drop("line"),
        lambda table: table.select("label", "text", "split", "file", "line"),
        lambda table: table.with_columns(pl.col("line").cast(pl.String)),
    ],
    ids=["a rule", "a column too many", "a column too few", "columns in another order", "another type"],
)
def test_a_table_that_breaks_the_contract_is_neither_written_nor_read(
    tmp_path: Path, spoil: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    with pytest.raises(SchemaErrors):
        articles.write_articles(tmp_path / "written.parquet", spoil(rows({})))
    assert list(tmp_path.iterdir()) == []
    spoil(rows({})).write_parquet(tmp_path / "spoilt.parquet")
    with pytest.raises(
        DataContractError, match=r"spoilt\.parquet breaks the contract of articles.* `gazette run`.*seen: "
    ):
        articles.read_articles(tmp_path / "spoilt.parquet")


def test_a_row_that_breaks_the_contract_is_named_by_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(articles, "PART", 2)
    rows({"line": 1}, {"line": 2}, {"line": 3}, {"line": 4, "text": "?"}).write_parquet(tmp_path / "changed.parquet")
    with pytest.raises(DataContractError, match=r"Column text, f\.csv, line 4: no word: .*; seen: '\?'"):
        articles.read_articles(tmp_path / "changed.parquet")


def test_writing_that_is_cut_short_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "articles.parquet"
    articles.write_articles(path, rows({}))
    before = path.read_bytes()

    def full_disk(table: pl.LazyFrame, target: Path, **options: Any) -> None:
        target.write_bytes(b"PAR1")
        raise OSError("no space left")

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", full_disk)
    with pytest.raises(OSError, match="no space"):
        articles.write_articles(path, rows({"line": 3}))
    assert path.read_bytes() == before


def test_writing_leaves_nothing_but_the_table(tmp_path: Path) -> None:
    articles.write_articles(tmp_path / "articles.parquet", rows({}))
    assert [path.name for path in tmp_path.iterdir()] == ["articles.parquet"]


def test_kinds_of_reasons_hold_nothing_that_they_quote() -> None:
    reasons = ["unknown label 'Breaking: it is (over)': …", "unknown label 'x': …", "3 fields, expected 2 (is …?)"]
    rejects = pl.DataFrame({"file": "f", "line": [1, 2, 3], "reason": reasons})
    assert articles.count_reasons(rejects).select("reason", "rows").rows() == [
        ("unknown label", 2),
        ("3 fields, expected 2", 1),
    ]


@pytest.mark.parametrize("part", [1, 7, 1000])
def test_a_sample_is_the_rows_of_its_seed_in_their_order_whatever_the_parts(
    tmp_path: Path, english: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    articles.write_articles(tmp_path / "articles.parquet", english)
    monkeypatch.setattr(articles, "PART", part)
    sample = articles.sample_articles(tmp_path / "articles.parquet", 20, seed=3)
    assert sample.equals(english[articles.sample_rows(english.height, 20, seed=3)])
    for most in (None, english.height, 1000):
        assert articles.sample_articles(tmp_path / "articles.parquet", most, seed=3).equals(english)
