"""What the journal says of a day, as sums: labels, confidence, unknown tokens, length and languages; pure.

A window's signal is the largest difference of its means from those of the reference, so sums of days are all that is
needed, however many articles a day has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from gazette.core.arrays import Array

SIGNALS = ("labels", "confidence", "unknown", "length", "language")
KEYS = ("day", "label", "language")
EPOCH = date(1970, 1, 4)
_MILLION = 1_000_000


@dataclass(frozen=True)
class Days:
    """Consecutive days from `first`, without gaps: their `rows`, and for each signal its sums, days × columns.

    `columns` are the labels and languages of those two signals. `certain` are rows above the confidence that `count`
    was called with.
    """

    first: date
    rows: Array
    sums: dict[str, Array]
    certain: Array
    columns: dict[str, list[str]]

    def part(self, first: date, days: int) -> "Days":
        """Return `days` days from `first`; days before the first and after the last have no rows."""
        start = (first - self.first).days
        index = np.arange(start, start + days)
        inside = (index >= 0) & (index < len(self.rows))
        index = np.where(inside, index, 0)
        sums = {name: values[index] * inside[:, None] for name, values in self.sums.items()}
        return Days(first, self.rows[index] * inside, sums, self.certain[index] * inside, self.columns)

    def means(self, name: str) -> Array:
        """Return the means of a signal over all days."""
        result: Array = self.sums[name].sum(axis=0) / max(self.rows.sum(), 1)
        return result


def count(records: pl.LazyFrame, cut: float = 1.0) -> pl.DataFrame:
    """Return sums by day, label and language; of 10⁷ records they are a few thousand rows.

    A record is certain if its confidence is at least `cut`.
    """
    confidence = pl.col("probabilities").list.max()
    counted = records.select(
        pl.col("hour").dt.date().alias("day"),
        "label",
        "language",
        confidence.alias("confidence"),
        pl.col("unknown"),
        pl.col("tokens").log1p().alias("length"),
    )
    sums = [_exact_sum(name) for name in ("confidence", "unknown", "length")]
    certain = (pl.col("confidence") >= cut).sum().alias("certain")
    return counted.group_by(KEYS).agg(pl.len().alias("rows"), certain, *sums).collect(engine="streaming").sort(KEYS)


def _exact_sum(name: str) -> pl.Expr:
    """Return a sum that does not depend on the order of rows: of whole millionths."""
    return (pl.col(name).cast(pl.Float64) * _MILLION).round().cast(pl.Int64).sum() / _MILLION


def to_days(counts: pl.DataFrame, labels: list[str], languages: list[str]) -> Days | None:
    """Return the sums as arrays; None if there are no rows. A label or language that is not listed is in no column."""
    if counts.is_empty():
        return None
    first = counts["day"].dt.min()
    assert isinstance(first, date)
    day = (counts["day"] - first).dt.total_days().to_numpy()
    rows = counts["rows"].to_numpy().astype(float)
    sums = {name: _sum_by_day(day, counts[name].to_numpy()) for name in ("confidence", "unknown", "length")}
    columns = {"labels": labels, "language": languages}
    for name, key in (("labels", "label"), ("language", "language")):
        numbers = {value: number for number, value in enumerate(columns[name])}
        column = counts[key].replace_strict(numbers, default=-1, return_dtype=pl.Int64).to_numpy()
        sums[name] = _sum_by_day(day, rows, column, len(columns[name]))
    certain = counts["certain"].to_numpy().astype(float)
    return Days(first, _sum_by_day(day, rows)[:, 0], sums, _sum_by_day(day, certain)[:, 0], columns)


def join(parts: Sequence[Days]) -> Days:
    """Return several periods as one, a day after another; they have the same columns."""
    sums = {name: np.concatenate([part.sums[name] for part in parts]) for name in SIGNALS}
    rows, certain = (np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "certain"))
    return Days(parts[0].first, rows, sums, certain, parts[0].columns)


def _sum_by_day(day: Array, values: Array, column: Array | None = None, columns: int = 1) -> Array:
    """Return sums, days × columns; values whose column is negative are left out."""
    column = np.zeros_like(day) if column is None else column
    table, known = np.zeros((int(day.max()) + 1, columns)), column >= 0
    np.add.at(table, (day[known], column[known]), values[known])
    return table


def list_windows(first: date, until: date, days: int, anchor: date = EPOCH) -> list[date]:
    """Return the first days of the windows that end before `until`; `first` is the day of the first record.

    Windows are counted from `anchor`, so that they stay where they are when old records are removed, and begin on
    `first` or later. If the first record came within the window that begins on `anchor`, that one is whole as well.
    """
    begin = anchor if anchor <= first < anchor + timedelta(days=days) else first
    start = anchor + timedelta(days=-((anchor - begin).days // days) * days)
    count = max((until - start).days // days, 0)
    return [start + timedelta(days=days * number) for number in range(count)]


def next_end(first: date, today: date, days: int, anchor: date = EPOCH) -> date:
    """Return the day on which the next window is complete."""
    windows = list_windows(first, today + timedelta(days=3 * days), days, anchor)
    return min(end for start in windows if (end := start + timedelta(days=days)) > today)
