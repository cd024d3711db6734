"""Train, validation and test splits, independent of the order of rows.

Every table has a `key` that depends on the normalized text alone: rows with equal keys are one article.
"""

import hashlib
from collections.abc import Sequence
from datetime import date as Day
from typing import NamedTuple

import polars as pl
from prefect_dvc.core.errors import DataContractError

from gazette.core.corpus import OVERLAY

SPLITS = ("train", "valid", "test")


class Cut(NamedTuple):
    """Rows with their splits, rows in quarantine, and how many were read, dropped and corrected."""

    clean: pl.DataFrame
    conflicts: pl.DataFrame
    counts: dict[str, int]


def cut(articles: pl.DataFrame, published: Sequence[str], shares: tuple[float, float], by_time: bool) -> Cut:
    """Put every row in one split or in quarantine, or drop it. All rows of a text must be among the articles."""
    corrections: dict[str, int] = {}
    if "train_label" in articles.columns:
        articles, corrections = apply_volunteered(articles, published, *shares)
    unique, conflicts = split_conflicts(articles, published)
    distinct = drop_duplicates(unique, published, by_time)
    apart = drop_overlap(distinct, published)
    lost = {"duplicates": unique.height - distinct.height, "overlap": distinct.height - apart.height}
    counts = {"read": articles.height, "conflicts": conflicts.height} | lost | corrections
    return Cut(assign_splits(apart, published, *shares), conflicts, counts)


def split_conflicts(articles: pl.DataFrame, published: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Separate rows whose text has two labels from the rest; rows of a published valid or test split stay."""
    trainable = ~_is_published(published)
    label = pl.when(trainable).then("label")
    conflict = articles.select((label.min().over("key") != label.max().over("key")) & trainable).to_series()
    return articles.filter(~conflict), articles.filter(conflict)


def drop_duplicates(articles: pl.DataFrame, published: Sequence[str], by_time: bool = False) -> pl.DataFrame:
    """Keep the first of equal articles by file and line; rows of a published valid or test split stay.

    With `by_time`, keep the earliest, so that a later copy moves no article; one without a date comes before all.
    """
    order = ["date"] if by_time else []
    ordered = articles.sort(*order, "file", "line", nulls_last=False, maintain_order=True)
    return ordered.filter(_is_published(published) | pl.col("key").is_first_distinct().over("split"))


def drop_overlap(articles: pl.DataFrame, published: Sequence[str]) -> pl.DataFrame:
    """Drop from train the articles of a published valid or test split."""
    published_keys = articles.filter(_is_published(published))["key"]
    return articles.filter(_is_published(published) | ~pl.col("key").is_in(published_keys.unique().implode()))


def assign_splits(
    articles: pl.DataFrame, published: Sequence[str], valid_share: float, test_share: float
) -> pl.DataFrame:
    """Cut the splits that the corpus does not publish from train, by the `place` that a hash gives each text.

    Each class gives a split the same expected share. An article's split depends on its text alone, so neither the order
    of rows nor added rows move it: a model trained on an older corpus has never seen today's test rows. In return, a
    share is met up to the deviation of a binomial, not to the row.
    """
    place = pl.col("place")
    test_share = 0 if "test" in published else test_share
    valid_share = 0 if "valid" in published else valid_share
    split = (
        pl.when(pl.col("split") != "train")
        .then("split")
        .when(place < test_share)
        .then(pl.lit("test"))
        .when(place < test_share + valid_share)
        .then(pl.lit("valid"))
        .otherwise(pl.lit("train"))
    )
    return articles.with_columns(split=split)


def apply_volunteered(
    articles: pl.DataFrame, published: Sequence[str], valid_share: float, test_share: float
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Correct train rows, and only those, by `train_label`, and put new articles (of file OVERLAY) into train.

    A new article gives way to a row with the same text. Returns also how many articles were corrected, how many
    corrections were withheld because their article falls into valid or test, and how many articles are new.
    """
    is_new = pl.col("file").cast(pl.String) == OVERLAY
    rows = articles.filter(~is_new | is_new.all().over("key"))
    rows = rows.with_columns(place=pl.when(is_new).then(1.0).otherwise("place"))  # beyond every share: train
    is_train = assign_splits(rows, published, valid_share, test_share)["split"] == "train"
    correction = pl.col("train_label")
    counts = rows.select(
        corrected=pl.col("key").filter(correction.is_not_null() & is_train).n_unique(),
        withheld=pl.col("key").filter(correction.is_not_null() & ~is_train).n_unique(),
        added=is_new.sum(),
    )
    label = pl.when(correction.is_not_null() & is_train).then(correction).otherwise("label")
    return rows.with_columns(label=label).drop("train_label"), counts.row(0, named=True)


def find_boundaries(
    dates: pl.Series, valid_share: float, test_share: float, valid_from: Day | None, test_from: Day | None
) -> tuple[Day, Day]:
    """Return the first days of valid and of test: those named, or else the latest with which each gets its share.

    Days are those of UTC. A day is never parted, so a split may get more than its share. Raises DataContractError if
    the dates have fewer than three days, and no boundaries are named.
    """
    if valid_from is not None and test_from is not None:
        return valid_from, test_from
    days = dates.drop_nulls().dt.date().alias("day").value_counts().sort("day", descending=True)
    if days.height < len(SPLITS):
        raise DataContractError(
            f"`split: time` needs articles of at least {len(SPLITS)} days, but those with a date are of {days.height}"
        )
    newest, total = days["count"].cum_sum(), dates.count()
    test = int((newest < test_share * total).sum())  # how many days follow the first of test
    valid = max(int((newest < (test_share + valid_share) * total).sum()), test + 1)
    return days["day"][min(valid, days.height - 1)], days["day"][test]


def time_positions(dates: pl.Series, valid_from: Day, test_from: Day, test_share: float) -> pl.Series:
    """Return places by which `assign_splits` cuts at these days; a row without a date is a train row."""
    day = pl.col("date").dt.date()
    place = (
        pl.when(day >= test_from).then(0.0)
        .when(day >= valid_from).then(test_share)
        .otherwise(1.0)
    )  # fmt: skip
    return dates.alias("date").to_frame().select(place.alias("place")).to_series()


def _is_published(published: Sequence[str]) -> pl.Expr:
    return pl.col("split").is_in([split for split in published if split != "train"])


def hash_positions(keys: pl.Series) -> pl.Series:
    """Return for each normalized text a number in [0, 1) that depends on the text alone."""
    places = (int.from_bytes(hashlib.blake2b(key.encode(), digest_size=6).digest()) / 2**48 for key in keys.to_list())
    return pl.Series(places, dtype=pl.Float64)
