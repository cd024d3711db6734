"""The profile's numbers on tables made by hand."""

from collections.abc import Callable
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from gazette.core import normalization
from gazette.data.validation import near_duplicates, profile

Table = Callable[..., pl.DataFrame]


def of(articles: pl.DataFrame, rejects: int = 0, **flags: list[bool]) -> dict[str, Any]:
    keyed = normalization.add_key(articles).with_columns(weight=1.0, characters=pl.col("text").str.len_chars())
    group = near_duplicates.group_near_duplicates(keyed["key"], 0.8, "en")
    exact = profile.count_repetition(keyed, "key")
    near = profile.count_repetition(keyed.with_columns(group=group), "group")
    lengths = keyed.group_by("split", "characters").agg(rows=pl.len().cast(pl.Int64))
    shares = profile.flag_shares(pl.DataFrame(flags, schema=dict.fromkeys(flags, pl.Boolean)), keyed["weight"])
    return profile.corpus_profile(lengths, rejects, exact, near, shares).row(0, named=True)


def train(*texts: str) -> list[tuple[str, str, str]]:
    return [(text, "a", "train") for text in texts]


def test_the_key_of_an_article_forgets_case_width_entities_and_space(table: Table) -> None:
    keys = normalization.add_key(table(*train("It's  ＮＥＷ", "it#39;s new\n", "its new")))["key"].to_list()
    assert keys[0] == keys[1] != keys[2]


def test_exact_duplicates_are_the_rows_that_repeat_an_earlier_one(table: Table) -> None:
    assert of(table(*train("one", "One", "ONE ", "two")))["exact_duplicates_train"] == 0.5


def test_near_duplicates_differ_in_punctuation_and_space_too(table: Table) -> None:
    result = of(table(*train("Shares fell.", "shares, fell", "sharesfell", "shares rose")))
    assert (result["exact_duplicates_train"], result["near_duplicates_train"]) == (0, 0.5)


def test_duplicates_are_counted_for_each_split_apart(table: Table) -> None:
    result = of(table(*train("one", "two"), ("x", "a", "test"), ("x", "a", "test")))
    assert (result["exact_duplicates_train"], result["near_duplicates_train"]) == (0, 0)
    assert (result["exact_duplicates_valid"], result["exact_duplicates_test"]) == (0, 0.5)


def test_conflicts_are_rows_whose_text_has_another_label_in_any_split(table: Table) -> None:
    rows = [("one", "a", "train"), ("One", "b", "train"), ("two", "a", "train"), ("three", "a", "train")]
    assert of(table(*rows))["exact_conflicts"] == 0.5
    assert of(table(("one", "a", "train"), ("one", "b", "test")))["exact_conflicts"] == 1


def test_overlap_is_counted_for_each_split_apart(table: Table) -> None:
    rows = table(
        *train("one", "two", "three", "four"), ("ONE", "a", "valid"), ("two", "b", "test"), ("one", "a", "test")
    )
    assert (of(rows)["exact_overlap_train_valid"], of(rows)["exact_overlap_train_test"]) == (0.25, 0.5)
    assert of(rows)["exact_overlap_valid_test"] == 1


def test_conflicts_and_overlap_among_near_duplicates_are_told_apart_from_the_exact_ones(table: Table) -> None:
    story = "The home team won the last match of the season on Sunday after extra time"
    result = of(table((story, "a", "train"), (story + "!", "b", "test"), ("Another story", "a", "train")))
    assert (result["exact_conflicts"], result["exact_overlap_train_test"]) == (0, 0)
    assert (result["near_conflicts"], result["near_overlap_train_test"]) == (0.666667, 0.5)


def test_a_flag_is_the_share_of_rows_that_have_it(table: Table) -> None:
    assert of(table(*train("one", "two")), markup=[True, False])["markup"] == 0.5


def test_quarantined_is_a_share_of_all_rows_read(table: Table) -> None:
    result = of(table(*train("one", "two", "three")), rejects=1)
    assert (result["rows"], result["quarantined"]) == (3, 0.25)


def test_lengths_are_quantiles_in_characters(table: Table) -> None:
    result = of(table(*train(*("字" * length for length in range(1, 102)))))
    assert [result[f"characters_{q}"] for q in ("05", "50", "95")] == [6, 51, 96]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60))
def test_quantiles_are_those_of_single_values(lengths: list[int]) -> None:
    column = pl.Series("characters", lengths)
    counted = column.value_counts(name="rows").with_columns(split=pl.lit("train"), rows=pl.col("rows").cast(pl.Int64))
    result = profile.corpus_profile(counted, 0, {}, {}, {}).row(0, named=True)
    for q in (5, 50, 95):
        assert result[f"characters_{q:02d}"] == column.quantile(q / 100, "nearest")


def test_a_row_counts_by_its_weight(table: Table) -> None:
    rows = table(*train("one", "one", "two")).with_columns(weight=pl.Series([0.0, 5.0, 5.0]))
    assert profile.count_repetition(rows, "text")["duplicates_train"] == 5
    flags = pl.DataFrame({"markup": [True, None, False]})
    assert profile.flag_shares(flags, pl.Series([1.0, 9.0, 3.0])) == {"markup": 0.25}


def test_a_corpus_without_rows_has_a_profile(table: Table) -> None:
    result = of(table(*train("one")).clear(), rejects=2, markup=[])
    assert (result["rows"], result["quarantined"], result["markup"], result["exact_conflicts"]) == (0, 1, 0, 0)
    assert (result["exact_duplicates_train"], result["near_duplicates_train"], result["exact_overlap_train_test"]) == (
        0,
        0,
        0,
    )


def test_classes_are_counted_in_every_split(table: Table) -> None:
    rows = table(*train("one", "two", "three"), ("four", "b", "train"), ("five", "b", "test"))
    result = profile.class_profile(rows.lazy(), ["test", "train"], ["a", "b"])
    assert result.select("split", "label", "rows", "share").rows() == [
        ("test", "a", 0, 0),
        ("test", "b", 1, 1),
        ("train", "a", 3, 0.75),
        ("train", "b", 1, 0.25),
    ]


def test_a_split_without_any_row_has_shares_of_0(table: Table) -> None:
    result = profile.class_profile(table(*train("one")).lazy(), ["test", "train"], ["a"])
    assert result.filter(pl.col("split") == "test").select("rows", "share").rows() == [(0, 0)]


def test_a_declared_class_without_any_row_counts_0(table: Table) -> None:
    result = profile.class_profile(table(*train("one")).lazy(), ["train"], ["a", "never"])
    assert result.filter(pl.col("label") == "never").select("rows", "share").rows() == [(0, 0)]


def test_a_class_that_was_not_declared_is_counted_too(table: Table) -> None:
    assert profile.class_profile(table(*train("one")).lazy(), ["train"], ["b", "c"])["label"].to_list() == [
        "a",
        "b",
        "c",
    ]
