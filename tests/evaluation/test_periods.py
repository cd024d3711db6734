"""Accuracy by period: months, quarters or years."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.evaluation.periods import UNDATED, period_accuracy, period_of
from gazette.evaluation.report.over_time import MAX_CLASSES, OTHERS, count_periods, period_rows
from gazette.evaluation.slices import slice_accuracy

moments = st.datetimes(datetime(1990, 1, 1), datetime(2026, 1, 1))


def dated(*dates: str | None, right: bool | list[bool] = True) -> pl.DataFrame:
    moments = [None if date is None else datetime.fromisoformat(date).replace(tzinfo=UTC) for date in dates]
    hits = [right] * len(dates) if isinstance(right, bool) else right
    return pl.DataFrame(
        {"text": "x", "label": "a", "predicted": ["a" if hit else "b" for hit in hits], "file": "f", "date": moments},
        schema_overrides={"date": pl.Datetime("us", "UTC")},
    )


def periods(*dates: str | None) -> list[str]:
    table = dated(*dates)
    return table.select(period=period_of(table["date"]))["period"].to_list()


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["2004-01-31", "2005-06-01"], ["2004-01", "2005-06"]),
        (["2004-01-31", "2005-07-01"], ["2004-Q1", "2005-Q3"]),
        (["2000-01-01", "2004-12-31"], ["2000-Q1", "2004-Q4"]),
        (["2000-01-01", "2005-01-01"], ["2000", "2005"]),
        (["2004-01-31", None], ["2004-01", UNDATED]),
    ],
)
def test_the_span_of_the_dates_decides_between_months_quarters_and_years(dates: list[str], expected: list[str]) -> None:
    assert periods(*dates) == expected


def test_without_any_date_there_is_one_period() -> None:
    table = dated(None, None)
    assert table.with_columns(period=period_of(table["date"]))["period"].to_list() == [UNDATED, UNDATED]
    assert period_accuracy(table, 0.95) == {}


@given(st.lists(moments, min_size=1, max_size=50))
def test_periods_are_in_the_order_of_time_and_have_every_dated_row_once(dates: list[datetime]) -> None:
    table = dated(*(date.isoformat() for date in dates))
    figures = period_accuracy(table, 0.95)
    assert sum(figure["rows"] for figure in figures.values()) == len(dates)
    ordered = table.sort("date").select(period=period_of(table["date"]))["period"].unique(maintain_order=True)
    assert list(figures) == ordered.to_list()


def test_a_period_has_its_accuracy_with_an_interval() -> None:
    table = dated("2004-01-01", "2004-01-02", "2004-02-01", "2004-02-02", right=[True, True, True, False])
    figures = period_accuracy(table, 0.95)
    assert figures["2004-01"]["accuracy"] == 1 and figures["2004-02"]["accuracy"] == 0.5
    assert figures["2004-02"]["low"] == pytest.approx(0.0945, abs=1e-4)
    assert figures["2004-02"]["high"] == pytest.approx(0.9055, abs=1e-4)


def test_periods_are_slices_if_rows_have_dates() -> None:
    table = dated("2004-01-01", "2004-02-01", None)
    kinds = slice_accuracy(table, "en", 1)
    assert kinds.filter(slice="period")["value"].to_list() == ["2004-01", "2004-02", UNDATED]
    assert slice_accuracy(table.drop("date"), "en", 1).filter(slice="period").is_empty()


def test_the_report_counts_articles_by_period_and_class_and_puts_small_classes_together(tmp_path: Path) -> None:
    names = [name for number, name in enumerate("abcdefghij") for _ in range(20 - number)]
    table = pl.concat([dated("2004-01-01").with_columns(label=pl.lit(name)) for name in names])
    table.write_parquet(tmp_path / "train.parquet")
    rows = count_periods([str(tmp_path / "train.parquet"), str(tmp_path / "missing.parquet")])
    assert {row["label"] for row in rows} == {*"abcdefghij"[:MAX_CLASSES], OTHERS}
    assert sum(row["rows"] for row in rows) == len(names)
    table.drop("date").write_parquet(tmp_path / "train.parquet")
    assert count_periods([str(tmp_path / "train.parquet")]) == []
    assert period_rows(None) == period_rows({"accuracy": 1.0}) == []
