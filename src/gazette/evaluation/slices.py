"""Slices: kinds of articles on which a classifier may do worse than on the whole; pure."""

import polars as pl

from gazette.data.languages import home_script
from gazette.evaluation.periods import period_of

MAX_VALUES = 20  # a column with more values than this (one file per article) is not a slice


def slice_kinds(rows: pl.DataFrame, language: str) -> dict[str, pl.Expr]:
    """Return an expression for the slice of each row, by kind of slice; kinds with too many values are left out.

    `rows` has text, label and file. Length is in terciles of characters; script is `home` if at least half of the
    letters are in the script of the language, and left out if that is not known. If rows have a date, so do slices: the
    period of a row.
    """
    length = pl.col("text").str.len_chars()
    letters, script = pl.col("text").str.count_matches(r"\p{L}"), home_script(language)
    home = pl.lit(0) if script is None else pl.col("text").str.count_matches(script)
    kinds = {
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
    if script is None:
        del kinds["script"]
    if "date" in rows.columns:
        kinds["period"] = period_of(rows["date"])
    return {kind: value for kind, value in kinds.items() if rows.select(value.n_unique()).item() <= MAX_VALUES}


def slice_accuracy(rows: pl.DataFrame, language: str, min_rows: int) -> pl.DataFrame:
    """Return rows and accuracy of each slice with at least `min_rows` rows; needs the column `predicted` too."""
    correct = (pl.col("label") == pl.col("predicted")).mean()
    tables = [
        rows.group_by(value=value).agg(rows=pl.len(), accuracy=correct).with_columns(slice=pl.lit(kind))
        for kind, value in slice_kinds(rows, language).items()
    ]
    return (
        pl.concat(tables)
        .filter(pl.col("rows") >= min_rows)
        .select("slice", "value", "rows", "accuracy")
        .sort("slice", "value")
    )
