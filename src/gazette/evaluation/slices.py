"""Slices: kinds of articles on which a classifier may do worse than on the whole; pure."""

import polars as pl

from gazette.core.languages import HOME_SCRIPT

MANY = 20  # a column with more values than this (one file per article) is no slice


def kinds(judged: pl.DataFrame, language: str) -> dict[str, pl.Expr]:
    """The slice of each row, by kind of slice; kinds with too many values are left out.

    `judged` has text, label and file. Length is in thirds of the articles' characters; script tells whether at least
    half of the letters are in the script of the language.
    """
    length = pl.col("text").str.len_chars()
    letters, home = pl.col("text").str.count_matches(r"\p{L}"), pl.col("text").str.count_matches(HOME_SCRIPT[language])
    found = {
        "class": pl.col("label"),
        "length": pl.when(length <= length.quantile(1 / 3))
        .then(pl.lit("short"))
        .when(length <= length.quantile(2 / 3))
        .then(pl.lit("medium"))
        .otherwise(pl.lit("long")),
        "digits": pl.when(pl.col("text").str.contains(r"\p{N}")).then(pl.lit("some")).otherwise(pl.lit("none")),
        "script": pl.when(home * 2 >= letters).then(pl.lit("home")).otherwise(pl.lit("foreign")),
        "file": pl.col("file"),
    }
    return {kind: value for kind, value in found.items() if judged.select(value.n_unique()).item() <= MANY}


def by_slice(judged: pl.DataFrame, language: str, least: int) -> pl.DataFrame:
    """Rows and accuracy of each slice with at least `least` rows, by kind of slice and value; needs `predicted` too."""
    right = (pl.col("label") == pl.col("predicted")).mean()
    tables = [
        judged.group_by(value=value).agg(rows=pl.len(), accuracy=right).with_columns(slice=pl.lit(kind))
        for kind, value in kinds(judged, language).items()
    ]
    return (
        pl.concat(tables)
        .filter(pl.col("rows") >= least)
        .select("slice", "value", "rows", "accuracy")
        .sort("slice", "value")
    )
