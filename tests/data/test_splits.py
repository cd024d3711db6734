"""Which articles are learned from, which are judged on, and which leave."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import sqrt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc.core.errors import DataContractError

from gazette.core.corpus import OVERLAY
from gazette.data import splits

Table = Callable[..., pl.DataFrame]
ALL = ["test", "train", "valid"]


def keyed(table: pl.DataFrame) -> pl.DataFrame:
    key = table["text"].str.to_lowercase()
    return table.with_columns(key=key, place=splits.hash_positions(key))


def frame(texts: list[str]) -> pl.DataFrame:
    columns = {"text": texts, "label": "a", "split": "train", "file": "f", "line": range(1, len(texts) + 1)}
    return keyed(pl.DataFrame(columns, schema_overrides={"text": pl.String}))


def places(articles: pl.DataFrame, published: list[str]) -> dict[str, str]:
    return dict(splits.assign_splits(articles, published, 0.2, 0.3).select("key", "split").iter_rows())


unique_texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=8), unique_by=str.lower, max_size=20)


@given(unique_texts)
def test_every_row_is_in_one_split_and_keeps_its_place(texts: list[str]) -> None:
    articles = frame(texts)
    result = splits.assign_splits(articles, ["train"], 0.2, 0.3)
    assert result.drop("split").equals(articles.drop("split"))
    assert set(result["split"]) <= set(ALL)


@given(unique_texts, unique_texts, st.randoms(use_true_random=False))
def test_neither_order_nor_added_rows_move_an_article(
    texts: list[str], added: list[str], shuffle: random.Random
) -> None:
    more = list({text.lower(): text for text in texts + added}.values())
    shuffle.shuffle(more)
    before, after = places(frame(texts), ["train"]), places(frame(more), ["train"])
    assert before == {key: after[key] for key in before}


def test_the_place_of_a_text_is_the_same_in_every_process() -> None:
    assert places(frame(["one", "two", "three", "four", "五"]), ["train"]) == {
        "one": "test",
        "two": "valid",
        "three": "train",
        "four": "train",
        "五": "valid",
    }


def test_each_class_meets_the_shares_up_to_chance() -> None:
    rows = 3000
    articles = frame([f"{label} {number}" for number in range(rows) for label in "ab"])
    articles = articles.with_columns(label=pl.col("text").str.slice(0, 1))
    result = splits.assign_splits(articles, ["train"], 0.1, 0.2)
    for share, split in ((0.1, "valid"), (0.2, "test"), (0.7, "train")):
        for label in "ab":
            count = result.filter(split=split, label=label).height
            assert abs(count - rows * share) < 4 * sqrt(rows * share * (1 - share))


@pytest.mark.parametrize("published", [["train", "valid"], ["test", "train"], ALL])
def test_published_splits_get_no_row_and_lose_none(published: list[str]) -> None:
    articles = frame([f"text {number}" for number in range(200)])
    held_out = articles.head(20).with_columns(split=pl.lit(published[0] if published[0] != "train" else "valid"))
    given_split = held_out["split"][0]
    result = splits.assign_splits(pl.concat([held_out, articles.tail(180)]), published, 0.2, 0.3)
    assert result.filter(split=given_split)["key"].to_list() == held_out["key"].to_list()
    assert set(result["split"]) == set(ALL) if len(published) < 3 else {"train", given_split}


def test_a_share_ends_before_its_bound_so_that_a_share_of_0_gets_no_article() -> None:
    articles = frame(["first", "second", "third"]).with_columns(place=pl.Series([0.0, 0.25, 0.75]))
    assert splits.assign_splits(articles, ["train"], 0.5, 0.25)["split"].to_list() == ["test", "valid", "train"]
    assert splits.assign_splits(articles, ["train"], 0.25, 0)["split"].to_list() == ["valid", "train", "train"]
    assert splits.assign_splits(articles, ["train"], 0, 0)["split"].to_list() == ["train"] * 3


def test_valid_keeps_its_share_where_only_test_is_published() -> None:
    articles = frame([f"text {number}" for number in range(2000)])
    result = splits.assign_splits(articles, ["test", "train"], 0.2, 0.3)
    assert abs(result.filter(split="valid").height - 400) < 4 * sqrt(2000 * 0.2 * 0.8)


# Conflicts


def test_a_text_under_two_labels_goes_with_all_its_rows(table: Table) -> None:
    rows = keyed(table(("One", "a", "train"), ("two", "a", "train"), ("one", "b", "train"), ("two", "a", "train")))
    remaining, conflicts = splits.split_conflicts(rows, ["train"])
    assert remaining["line"].to_list() == [2, 4]
    assert conflicts["line"].to_list() == [1, 3]
    assert remaining.columns == conflicts.columns == rows.columns


def test_published_rows_stay_even_in_conflict(table: Table) -> None:
    rows = keyed(table(("one", "a", "test"), ("one", "b", "test"), ("one", "a", "train"), ("two", "a", "train")))
    remaining, conflicts = splits.split_conflicts(rows, ["test", "train"])
    assert remaining["line"].to_list() == [1, 2, 3, 4]
    assert conflicts.is_empty()


# Duplicates


def test_of_equal_articles_the_first_by_file_and_line_stays(table: Table) -> None:
    rows = keyed(table(*[("one", "a", "train")] * 4))
    rows = rows.with_columns(file=pl.Series(["b", "a", "a", "b"]), line=pl.Series([1, 9, 10, 2]))
    remaining = splits.drop_duplicates(rows, ["train"])
    assert remaining.select("file", "line").rows() == [("a", 9)]
    assert splits.drop_duplicates(rows.reverse(), ["train"]).equals(remaining)


def test_published_duplicates_stay(table: Table) -> None:
    rows = keyed(table(("one", "a", "test"), ("ONE", "a", "test"), ("one", "a", "train"), ("one", "a", "train")))
    remaining = splits.drop_duplicates(rows, ["test", "train"])
    assert remaining.select("split", "line").rows() == [("test", 1), ("test", 2), ("train", 3)]


# Overlap


@pytest.mark.parametrize("split", ["valid", "test"])
def test_what_stands_in_a_published_split_leaves_train(table: Table, split: str) -> None:
    rows = keyed(table(("One", "a", "train"), ("two", "a", "train"), ("one", "b", split), ("one", "b", split)))
    assert splits.drop_overlap(rows, ["train", split])["line"].to_list() == [2, 3, 4]


def test_train_stays_whole_where_nothing_else_is_published(table: Table) -> None:
    rows = keyed(table(("one", "a", "train"), ("two", "a", "train")))
    assert splits.drop_overlap(rows, ["train"]).equals(rows)


def test_new_articles_and_volunteers_labels_reach_train_alone_and_are_counted_by_article() -> None:
    rows = frame(["one", "three", "four", "FOUR", "new"]).with_columns(  # one: test, three and four: train
        train_label=pl.Series([*"bbbb", None]), file=pl.Series(["f"] * 4 + [OVERLAY])
    )
    rows = pl.concat([rows, rows.tail(1).with_columns(key=pl.lit("one"))])  # masked, a new text may equal another row's
    result, counts = splits.apply_volunteered(rows, ["train"], 0.2, 0.3)
    assert counts == {"corrected": 2, "withheld": 1, "added": 1}
    assert result.select("text", "label").rows() == [
        ("one", "a"), ("three", "b"), ("four", "b"), ("FOUR", "b"), ("new", "a"),
    ]  # fmt: skip
    assert splits.assign_splits(result, ["train"], 0.5, 0.49)["split"].to_list()[-1] == "train"


# Time

START = date(2020, 1, 1)
Dated = tuple[str, int | None]  # the text, and the day since START, if it has one
dated_rows = st.lists(
    st.tuples(st.text("abcdef", min_size=1, max_size=3), st.none() | st.integers(0, 30)), min_size=1, max_size=40
)
shares = st.sampled_from([0.1, 0.2, 0.3, 0.45])


def cut(rows: list[Dated], *named: date, valid: float = 0.2, test: float = 0.3) -> pl.DataFrame:
    """The rows as `preprocess` cuts them by time: by shares, or at the days that are named."""
    moments = [None if day is None else datetime(2020, 1, 1, 12, tzinfo=UTC) + timedelta(day) for _, day in rows]
    table = frame([text for text, _ in rows]).with_columns(date=pl.Series(moments, dtype=pl.Datetime("us", "UTC")))
    days = splits.find_boundaries(table["date"], valid, test, *(named or (None, None)))
    table = table.with_columns(place=splits.time_positions(table["date"], *days, test))
    return splits.assign_splits(splits.drop_duplicates(table, ["train"], True), ["train"], valid, test)


def split_of(rows: list[Dated], *named: date) -> dict[str, str]:
    return dict(cut(rows, *named).select("key", "split").iter_rows())


def spans_days(rows: list[Dated]) -> bool:
    return len({day for _, day in rows if day is not None}) >= 3


@given(dated_rows.filter(spans_days), shares, shares)
def test_train_is_before_valid_before_test_and_no_day_is_in_two_splits(
    rows: list[Dated], valid: float, test: float
) -> None:
    dated = cut(rows, valid=valid, test=test).drop_nulls("date").with_columns(day=pl.col("date").dt.date())
    order = [dated.filter(split=split)["day"] for split in ("train", "valid", "test")]
    ends = [(days.min(), days.max()) for days in order if days.len()]
    assert all(earlier[1] < later[0] for earlier, later in pairwise(ends))


@given(st.lists(st.integers(0, 30), min_size=3, max_size=60).filter(lambda days: len(set(days)) >= 3), shares, shares)
def test_valid_and_test_get_their_shares_at_least_and_not_a_day_more(
    days: list[int], valid: float, test: float
) -> None:
    rows = cut([(str(number), day) for number, day in enumerate(days)], valid=valid, test=test)
    in_test = rows.filter(split="test")
    assert in_test.height >= test * len(days)
    first_day = in_test["date"].min()
    assert in_test.filter(pl.col("date") > first_day).height < test * len(days)
    if not rows.filter(split="train").is_empty():
        assert rows.filter(pl.col("split") != "train").height >= (valid + test) * len(days)


@given(dated_rows, st.lists(st.tuples(st.text("abcdef", min_size=1, max_size=3), st.integers(31, 60)), max_size=20))
def test_with_boundaries_that_are_days_later_rows_move_no_earlier_row(rows: list[Dated], later: list[Dated]) -> None:
    days = START + timedelta(10), START + timedelta(20)
    before, after = split_of(rows, *days), split_of([*later, *rows], *days)
    assert before == {key: after[key] for key in before}


@given(
    st.lists(st.integers(0, 30), min_size=3, max_size=30).filter(lambda days: len(set(days)) >= 3),
    st.lists(st.integers(31, 60), max_size=20),
)
def test_with_shares_later_rows_move_earlier_ones_only_towards_train(days: list[int], later: list[int]) -> None:
    order = {"train": 0, "valid": 1, "test": 2}
    before = split_of([(f"old {number}", day) for number, day in enumerate(days)])
    after = split_of(
        [(f"old {number}", day) for number, day in enumerate(days)] + [(f"{d} {n}", d) for n, d in enumerate(later)]
    )
    assert all(order[after[key]] <= order[split] for key, split in before.items())


def test_of_equal_articles_the_earliest_stays_and_a_row_without_a_date_is_a_train_row() -> None:
    days = START + timedelta(10), START + timedelta(20)
    rows = cut([("one", 25), ("ONE", 5), ("two", None), ("three", 30), ("three", None), ("four", 15)], *days)
    assert dict(rows.select("key", "split").iter_rows()) == {
        "one": "train", "two": "train", "three": "train", "four": "valid",
    }  # fmt: skip


def test_fewer_than_three_days_cannot_be_split_by_shares() -> None:
    with pytest.raises(DataContractError, match="at least 3 days, but those with a date are of 2"):
        cut([("one", 1), ("two", 2), ("three", None)])


@pytest.mark.parametrize(
    ("published", "expected"), [("test", ["train", "valid", "valid"]), ("valid", ["train", "train", "test"])]
)
def test_a_split_that_is_published_is_not_cut_by_time(published: str, expected: list[str]) -> None:
    dates = pl.Series([datetime(2020, 1, day, tzinfo=UTC) for day in (1, 11, 21)], dtype=pl.Datetime("us", "UTC"))
    test_share = 0.0 if published == "test" else 0.3
    places = splits.time_positions(dates, date(2020, 1, 10), date(2020, 1, 20), test_share)
    rows = frame(["one", "two", "three"]).with_columns(place=places)
    assert splits.assign_splits(rows, ["train", published], 0.2, 0.3)["split"].to_list() == expected
