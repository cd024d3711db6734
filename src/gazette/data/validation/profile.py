"""A corpus in two small tables, of the same size for a thousand articles and for ten million."""

import polars as pl

SPLITS = ("train", "valid", "test")
OVERLAPS = (("train", "valid"), ("train", "test"), ("valid", "test"))  # rows of the first that are also in the second


def corpus_profile(articles: pl.DataFrame, rejects: int, flags: pl.DataFrame) -> pl.DataFrame:
    """Profile the whole corpus in one row; equal texts share a `copy` in `articles`, near duplicates a `group`.

    rows; quarantined (share of the rows read that break the row contract); exact_… of equal texts and near_… of near
    duplicates: duplicates_<split> (rows of the split that repeat an earlier one), conflicts (rows whose text has
    another label elsewhere), overlap_<split>_<split> (rows of the first whose text is also in the second); for each of
    `flags` the share of rows that have it (nulls excluded); the 5%, 50% and 95% quantiles of the length in characters.
    """
    length = articles["text"].str.len_chars()
    return pl.DataFrame(
        {
            "rows": articles.height,
            "quarantined": rejects / max(rejects + articles.height, 1),
            **{f"exact_{name}": share for name, share in _repetition(articles, "copy").items()},
            **{f"near_{name}": share for name, share in _repetition(articles, "group").items()},
            **{name: share(flags, pl.col(name)) for name in flags.columns},
            **{f"characters_{q:02d}": length.quantile(q / 100, "nearest") for q in (5, 50, 95)},
        }
    )


def _repetition(articles: pl.DataFrame, same: str) -> dict[str, float]:
    rows = articles.select("split", same, label=pl.col("label").cast(pl.Categorical).to_physical())
    splits = {split: rows.filter(pl.col("split") == split) for split in SPLITS}
    return {
        **{f"duplicates_{split}": share(rows, ~pl.col(same).is_first_distinct()) for split, rows in splits.items()},
        "conflicts": share(rows, pl.col("label").min().over(same) != pl.col("label").max().over(same)),
        **{
            f"overlap_{first}_{second}": share(
                splits[first], pl.col(same).is_in(splits[second][same].unique().implode())
            )
            for first, second in OVERLAPS
        },
    }


def share(rows: pl.DataFrame, condition: pl.Expr) -> float:
    """Return the share of rows that meet a condition; 0 without rows."""
    return round(float(rows.select(condition.mean()).item() or 0), 6)


def class_profile(articles: pl.DataFrame, splits: list[str], labels: list[str]) -> pl.DataFrame:
    """Return rows and share of every class in every split; a declared class without rows counts 0."""
    grid = pl.DataFrame({"split": splits}).join(pl.DataFrame({"label": labels}), how="cross")
    counts = articles.group_by("split", "label").agg(rows=pl.len().cast(pl.Int64))
    return (
        grid.join(counts, on=["split", "label"], how="full", coalesce=True)
        .with_columns(pl.col("rows").fill_null(0))
        .with_columns(share=(pl.col("rows") / pl.col("rows").sum().over("split")).fill_nan(0).round(6))
        .sort("split", "label")
    )
