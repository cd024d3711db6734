"""A corpus in a few numbers: two small tables that are the same size for a thousand articles and for ten million."""

import polars as pl

from gazette.normalizing import normalise

HOME_SCRIPT = {"en": r"\p{Latin}", "zh": r"\p{Han}"}  # the letters a language is written in


def with_key(articles: pl.DataFrame) -> pl.DataFrame:
    """Adds `key` (the normalised text: equal keys are exact duplicates) to the articles."""
    return articles.with_columns(key=pl.Series(normalise(articles["text"]), dtype=pl.String))


def corpus_profile(articles: pl.DataFrame, rejects: int, language: str) -> pl.DataFrame:
    """One row about the whole corpus; `articles` have a `key`. Shares are of the rows that were read.

    rows, quarantined (share of rows that broke the row contract), exact_duplicates and near_duplicates (rows of train
    that repeat an earlier one; near: equal but for case, width, space and punctuation), conflicts (rows of train whose
    text stands there under another label too), overlap_valid and overlap_test (rows of train whose text stands in that
    split too), foreign (rows with less than half of their letters in the script of the language), and the 5 %, 50 % and
    95 % quantiles of the length in characters.
    """
    train = articles.filter(pl.col("split") == "train")
    loose = pl.col("key").str.replace_all(r"[^\p{L}\p{N}]+", "")
    letters = pl.col("key").str.count_matches(r"\p{L}")
    home = pl.col("key").str.count_matches(HOME_SCRIPT[language])
    length = articles["text"].str.len_chars()
    shares = {
        "exact_duplicates": train["key"].is_duplicated().sum() and 1 - train["key"].n_unique() / train.height,
        "near_duplicates": train.height and 1 - train.select(loose.n_unique()).item() / train.height,
        "conflicts": train.height and train.select((pl.col("label").n_unique().over("key") > 1).mean()).item(),
        "overlap_valid": _overlap(train, articles, "valid"),
        "overlap_test": _overlap(train, articles, "test"),
        "foreign": articles.height and articles.select((home * 2 < letters).mean()).item(),
    }
    return pl.DataFrame(
        {
            "rows": articles.height,
            "quarantined": rejects / max(rejects + articles.height, 1),
            **{name: round(float(share), 6) for name, share in shares.items()},
            **{f"characters_{q:02d}": length.quantile(q / 100, "nearest") for q in (5, 50, 95)},
        }
    )


def class_profile(articles: pl.DataFrame, splits: list[str], labels: list[str]) -> pl.DataFrame:
    """Rows and share of every class in every split; a declared class without rows counts 0."""
    grid = pl.DataFrame({"split": splits}).join(pl.DataFrame({"label": labels}), how="cross")
    counts = articles.group_by("split", "label").agg(rows=pl.len().cast(pl.Int64))
    return (
        grid.join(counts, on=["split", "label"], how="full", coalesce=True)
        .with_columns(pl.col("rows").fill_null(0))
        .with_columns(share=(pl.col("rows") / pl.col("rows").sum().over("split")).round(6))
        .sort("split", "label")
    )


def _overlap(train: pl.DataFrame, articles: pl.DataFrame, split: str) -> float:
    held_out = articles.filter(pl.col("split") == split)["key"]
    return float(train.select(pl.col("key").is_in(held_out.unique().implode()).mean()).item() or 0)
