"""A corpus in a few numbers: two small tables that are the same size for a thousand articles and for ten million."""

import polars as pl

from gazette.normalizing import normalise

OVERLAPS = (("train", "valid"), ("train", "test"), ("valid", "test"))  # rows of the one that stand in the other too
HOME_SCRIPT = {"en": r"\p{Latin}", "zh": r"\p{Han}"}  # the letters a language is written in


def with_key(articles: pl.DataFrame) -> pl.DataFrame:
    """Adds `key` (the normalised text: equal keys are exact duplicates) to the articles."""
    return articles.with_columns(key=pl.Series(normalise(articles["text"]), dtype=pl.String))


def corpus_profile(articles: pl.DataFrame, rejects: int, language: str) -> pl.DataFrame:
    """One row about the whole corpus; `articles` have a `key`.

    rows; quarantined (share of the rows read that broke the row contract); exact_duplicates_<split> and near_duplicates
    (rows of the split, or of train, that repeat an earlier one; near: but for case, width, space and punctuation);
    conflicts (rows whose text has another label elsewhere); overlap_<split>_<other> (rows of the one whose text stands
    in the other too); foreign (rows with less than half of their letters in the script of the language); the 5 %, 50 %
    and 95 % quantiles of the length in characters.
    """
    loose = pl.col("key").str.replace_all(r"[^\p{L}\p{N}]+", "")
    letters = pl.col("key").str.count_matches(r"\p{L}")
    home = pl.col("key").str.count_matches(HOME_SCRIPT[language])
    splits = {split: articles.filter(pl.col("split") == split) for split in ("train", "valid", "test")}
    shares = {
        **{
            f"exact_duplicates_{split}": _share(rows, ~pl.col("key").is_first_distinct())
            for split, rows in splits.items()
        },
        "near_duplicates": _share(splits["train"], ~loose.is_first_distinct()),
        "conflicts": _share(articles, pl.col("label").n_unique().over("key") > 1),
        **{
            f"overlap_{split}_{other}": _share(
                splits[split], pl.col("key").is_in(splits[other]["key"].unique().implode())
            )
            for split, other in OVERLAPS
        },
        "foreign": _share(articles, home * 2 < letters),
    }
    length = articles["text"].str.len_chars()
    return pl.DataFrame(
        {
            "rows": articles.height,
            "quarantined": rejects / max(rejects + articles.height, 1),
            **shares,
            **{f"characters_{q:02d}": length.quantile(q / 100, "nearest") for q in (5, 50, 95)},
        }
    )


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
