"""Which articles are learned from and which are judged on; pure, and blind to the order of rows.

Every table here has a `key` that only the normalised text decides: rows with equal keys are one article.
"""

import hashlib
from collections.abc import Sequence

import polars as pl


def part_conflicts(articles: pl.DataFrame, published: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Parts rows whose text stands under two labels from the rest; rows of a published valid or test split stay."""
    learned = ~_is_published(published)
    label = pl.when(learned).then("label")
    conflict = articles.select((label.min().over("key") != label.max().over("key")) & learned).to_series()
    return articles.filter(~conflict), articles.filter(conflict)


def drop_duplicates(articles: pl.DataFrame, published: Sequence[str]) -> pl.DataFrame:
    """Keeps of equal articles the first by file and line; rows of a published valid or test split stay."""
    ordered = articles.sort("file", "line", maintain_order=True)
    return ordered.filter(_is_published(published) | pl.col("key").is_first_distinct().over("split"))


def drop_overlap(articles: pl.DataFrame, published: Sequence[str]) -> pl.DataFrame:
    """Drops from train what stands in a published valid or test split."""
    judged = articles.filter(_is_published(published))["key"]
    return articles.filter(_is_published(published) | ~pl.col("key").is_in(judged.unique().implode()))


def assign(articles: pl.DataFrame, published: Sequence[str], valid_share: float, test_share: float) -> pl.DataFrame:
    """Takes from train the splits that the corpus does not publish, by the `place` that a hash gives a text.

    A class gives each split the same expected share. An article's split depends on its text alone, so neither the order
    of rows nor added rows move it: a model that was trained on an older corpus never learned from today's test rows.
    The price is that a share is met up to chance (a binomial's deviation), not to the row.
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


def _is_published(published: Sequence[str]) -> pl.Expr:
    return pl.col("split").is_in([split for split in published if split != "train"])


def places(keys: pl.Series) -> pl.Series:
    """For each normalised text a number in [0, 1) that only the text decides."""
    found = (int.from_bytes(hashlib.blake2b(key.encode(), digest_size=6).digest()) / 2**48 for key in keys.to_list())
    return pl.Series(found, dtype=pl.Float64)
