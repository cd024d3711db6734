"""A corpus in a few numbers: two small tables that are the same size for a thousand articles and for ten million."""

import polars as pl

SPLITS = ("train", "valid", "test")
OVERLAPS = (("train", "valid"), ("train", "test"), ("valid", "test"))  # rows of the one that stand in the other too


def corpus_profile(articles: pl.DataFrame, rejects: int, flags: pl.DataFrame) -> pl.DataFrame:
    """One row about the whole corpus; `articles` have a `copy` that equal texts share, and a `group` of near ones.

    rows; quarantined (share of the rows read that broke the row contract); exact_… of equal texts and near_… of nearly
    equal ones: duplicates_<split> (rows of the split that repeat an earlier one), conflicts (rows whose text has
    another label elsewhere), overlap_<split>_<other> (rows of the one whose text stands in the other too); for each of
    `flags` the share of rows that have it; the 5 %, 50 % and 95 % quantiles of the length in characters.
    """
    length = articles["text"].str.len_chars()
    return pl.DataFrame(
        {
            "rows": articles.height,
            "quarantined": rejects / max(rejects + articles.height, 1),
            **{f"exact_{name}": share for name, share in _repetition(articles, "copy").items()},
            **{f"near_{name}": share for name, share in _repetition(articles, "group").items()},
            **{name: _share(flags, pl.col(name)) for name in flags.columns},
            **{f"characters_{q:02d}": length.quantile(q / 100, "nearest") for q in (5, 50, 95)},
        }
    )


def _repetition(articles: pl.DataFrame, same: str) -> dict[str, float]:
    rows = articles.select("split", same, label=pl.col("label").cast(pl.Categorical).to_physical())
    splits = {split: rows.filter(pl.col("split") == split) for split in SPLITS}
    return {
        **{f"duplicates_{split}": _share(rows, ~pl.col(same).is_first_distinct()) for split, rows in splits.items()},
        "conflicts": _share(rows, pl.col("label").min().over(same) != pl.col("label").max().over(same)),
        **{
            f"overlap_{split}_{other}": _share(
                splits[split], pl.col(same).is_in(splits[other][same].unique().implode())
            )
            for split, other in OVERLAPS
        },
    }


def _share(rows: pl.DataFrame, condition: pl.Expr) -> float:
    """The share of rows that are so; 0 of none."""
    return round(float(rows.select(condition.mean()).item() or 0), 6)


def class_profile(articles: pl.DataFrame, splits: list[str], labels: list[str]) -> pl.DataFrame:
    """Rows and share of every class in every split; a declared class without rows counts 0."""
    grid = pl.DataFrame({"split": splits}).join(pl.DataFrame({"label": labels}), how="cross")
    counts = articles.group_by("split", "label").agg(rows=pl.len().cast(pl.Int64))
    return (
        grid.join(counts, on=["split", "label"], how="full", coalesce=True)
        .with_columns(pl.col("rows").fill_null(0))
        .with_columns(share=(pl.col("rows") / pl.col("rows").sum().over("split")).fill_nan(0).round(6))
        .sort("split", "label")
    )
