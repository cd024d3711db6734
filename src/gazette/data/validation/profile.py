"""A corpus in two small tables, of the same size for a thousand articles and for ten million."""

from collections.abc import Mapping
from typing import Any

import polars as pl

SPLITS = ("train", "valid", "test")
OVERLAPS = (("train", "valid"), ("train", "test"), ("valid", "test"))  # rows of the first that are also in the second


def count_repetition(rows: pl.DataFrame, same: str) -> dict[str, float]:
    """Count the rows that are repeated, by their `weight`; equal or near texts share a value of column `same`.

    duplicates_<split>: rows of the split that repeat an earlier one. conflicts: rows whose text has another label
    elsewhere. overlap_<split>_<split>: rows of the first whose text is also in the second. All rows of a text must be
    among `rows`.
    """
    rows = rows.select("split", "weight", same, label=pl.col("label").cast(pl.Categorical).to_physical())
    splits = {split: rows.filter(pl.col("split") == split) for split in SPLITS}
    return {
        **{f"duplicates_{split}": _count(rows, ~pl.col(same).is_first_distinct()) for split, rows in splits.items()},
        "conflicts": _count(rows, pl.col("label").min().over(same) != pl.col("label").max().over(same)),
        **{
            f"overlap_{first}_{second}": _count(
                splits[first], pl.col(same).is_in(splits[second][same].unique().implode())
            )
            for first, second in OVERLAPS
        },
    }


def _count(rows: pl.DataFrame, condition: pl.Expr) -> float:
    return float(rows.select(pl.col("weight").filter(condition).sum()).item())


def corpus_profile(
    lengths: pl.DataFrame,
    rejects: int,
    exact: Mapping[str, float],
    near: Mapping[str, float],
    flags: Mapping[str, float],
) -> pl.DataFrame:
    """Profile the whole corpus in one row.

    rows; quarantined (share of the rows read that break the row contract); exact_… and near_… of `count_repetition` as
    shares, of its split or of all rows; `flags`, shares of rows; the 5%, 50% and 95% quantiles of the length in
    characters. `lengths` has the rows of each split and number of characters.
    """
    sizes = dict(lengths.group_by("split").agg(pl.col("rows").sum()).iter_rows())
    total = sum(sizes.values())
    shares = {
        f"{kind}_{name}": _divide(count, total if name == "conflicts" else sizes.get(name.split("_")[1], 0))
        for kind, counts in (("exact", exact), ("near", near))
        for name, count in counts.items()
    }
    return pl.DataFrame(
        {
            "rows": total,
            "quarantined": rejects / max(rejects + total, 1),
            **shares,
            **flags,
            **{f"characters_{q:02d}": _quantile(lengths, q / 100) for q in (5, 50, 95)},
        }
    )


def _divide(count: Any, rows: Any) -> float:
    return round(float(count / rows), 6) if rows else 0.0


def _quantile(lengths: pl.DataFrame, q: float) -> float | None:
    """Return the length nearest to a quantile, as polars does of single values."""
    ordered = lengths.group_by("characters").agg(pl.col("rows").sum()).sort("characters")
    if ordered.is_empty():
        return None
    ends = ordered["rows"].cum_sum()
    return float(ordered["characters"][int((ends <= int((ends[-1] - 1) * q + 0.5)).sum())])


def flag_shares(flags: pl.DataFrame, weight: pl.Series) -> dict[str, float]:
    """Return the share of the rows that have each flag, nulls excluded; a row counts by its weight."""
    return {flag.name: _divide(weight.filter(flag).sum(), weight.filter(flag.is_not_null()).sum()) for flag in flags}


def class_profile(articles: pl.LazyFrame, splits: list[str], labels: list[str]) -> pl.DataFrame:
    """Return rows and share of every class in every split; a declared class without rows counts 0."""
    grid = pl.DataFrame({"split": splits}).join(pl.DataFrame({"label": labels}), how="cross")
    counts = articles.group_by("split", "label").agg(rows=pl.len().cast(pl.Int64)).collect(engine="streaming")
    return (
        grid.join(counts, on=["split", "label"], how="full", coalesce=True)
        .with_columns(pl.col("rows").fill_null(0))
        .with_columns(share=(pl.col("rows") / pl.col("rows").sum().over("split")).fill_nan(0).round(6))
        .sort("split", "label")
    )
