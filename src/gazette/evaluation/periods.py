"""Periods: months, quarters or years, by the span of the dates, so that there are few enough to compare; pure."""

import polars as pl

from gazette.evaluation.intervals import wilson_interval

MONTHS = {"month": 18, "quarter": 60}  # the longest span of a kind; longer ones are cut into years
UNDATED = "no date"


def period_of(dates: pl.Series) -> pl.Expr:
    """Return an expression for the period of column `date`: 2005-03, 2005-Q1 or 2005, by the span of these dates."""
    date = pl.col("date")
    number = dates.dt.year() * 12 + dates.dt.month()
    months = 1 + int(number.max() or 0) - int(number.min() or 0)  # type: ignore[arg-type]
    if months <= MONTHS["month"]:
        return date.dt.strftime("%Y-%m").fill_null(UNDATED)
    if months <= MONTHS["quarter"]:
        return pl.format("{}-Q{}", date.dt.strftime("%Y"), date.dt.quarter()).fill_null(UNDATED)
    return date.dt.strftime("%Y").fill_null(UNDATED)


def period_accuracy(rows: pl.DataFrame, confidence: float) -> dict[str, dict[str, float]]:
    """Return rows and accuracy of each period, in order, with Wilson's interval; needs label, predicted and date."""
    right = (pl.col("label") == pl.col("predicted")).mean()
    table = rows.drop_nulls("date").group_by(period=period_of(rows["date"])).agg(rows=pl.len(), accuracy=right)
    figures = {}
    for row in table.sort("period").iter_rows(named=True):
        low, high = wilson_interval(row["accuracy"], row["rows"], confidence)
        figures[row["period"]] = {"rows": row["rows"], "accuracy": row["accuracy"], "low": low, "high": high}
    return figures
