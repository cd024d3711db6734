"""Sums of days: the same means as of the records themselves, whatever the order and the gaps."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from journals import records

from gazette.monitoring import signals

LABELS, LANGUAGES = ["sport", "world"], ["", "und-Latn"]


def to_days(frame: pl.DataFrame, cut: float = 1.0) -> signals.Days:
    days = signals.to_days(signals.count(frame.lazy(), cut), LABELS, LANGUAGES)
    assert days
    return days


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(LABELS), st.floats(0.5, 1), st.integers(0, 99)), min_size=1)
)
def test_means_of_all_days_are_those_of_the_records(rows: list[tuple[int, str, float, int]]) -> None:
    frame = records([{"day": day, "label": label, "confidence": p, "tokens": n} for day, label, p, n in rows], LABELS)
    days = to_days(frame)
    assert days.rows.sum() == len(rows)
    shares = [sum(label == name for _, label, _, _ in rows) / len(rows) for name in LABELS]
    np.testing.assert_allclose(days.means("labels"), shares)
    np.testing.assert_allclose(days.means("confidence"), np.mean([p for _, _, p, _ in rows]), atol=1e-6)
    np.testing.assert_allclose(days.means("length"), np.mean(np.log1p([n for *_, n in rows])), atol=1e-6)


def test_days_without_records_are_rows_of_zeros() -> None:
    days = to_days(records([{"day": 0}, {"day": 3}, {"day": 3}], LABELS))
    assert days.rows.tolist() == [1, 0, 0, 2]
    assert days.part(days.first - timedelta(days=2), 4).rows.tolist() == [0, 0, 1, 0]
    assert days.part(days.first + timedelta(days=3), 3).rows.tolist() == [2, 0, 0]


def test_periods_joined_have_the_sums_of_both() -> None:
    days = to_days(records([{"day": day} for day in (0, 1, 1, 5)], LABELS))
    joined = signals.join([days.part(days.first, 2), days.part(days.first + timedelta(days=4), 2)])
    assert joined.rows.tolist() == [1, 2, 0, 1]
    assert joined.sums["labels"].sum() == 4


def test_rows_as_certain_as_the_cut_are_counted() -> None:
    frame = records([{"day": 0, "confidence": p} for p in (0.5, 0.75, 0.875)], LABELS)
    assert to_days(frame, cut=0.75).certain.tolist() == [2]


def test_no_records_are_no_days() -> None:
    assert signals.to_days(signals.count(records([], LABELS).lazy()), LABELS, LANGUAGES) is None


@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 60), st.integers(-500, 500))
def test_windows_are_whole_and_stay_where_they_are(first: int, more: int, days: int, anchor: int) -> None:
    begin, width = date(2026, 1, 1) + timedelta(days=first), timedelta(days=days)
    until, fixed = begin + timedelta(days=more), date(2026, 1, 1) + timedelta(days=anchor)
    windows = signals.list_windows(begin, until, days, fixed)
    assert all(start + width <= until and (start - fixed).days % days == 0 for start in windows)
    assert all(start >= begin or start == fixed for start in windows)
    later = signals.list_windows(begin + timedelta(days=1), until, days, fixed)
    assert later in (windows, windows[1:])
    end = signals.next_end(begin, until, days, fixed)
    assert until < end
    assert end - width in signals.list_windows(begin, end, days, fixed)


def test_windows_begin_with_the_version() -> None:
    """A champion whose first article came on the second day has its first window after so many days."""
    promoted = date(2026, 3, 4)
    assert signals.list_windows(date(2026, 3, 5), date(2026, 3, 11), 7, promoted) == [promoted]
    assert signals.next_end(date(2026, 3, 5), date(2026, 3, 6), 7, promoted) == date(2026, 3, 11)


def test_hours_belong_to_their_day_in_utc() -> None:
    frame = records([{"hour": datetime(2026, 3, 1, 23, tzinfo=UTC)}], LABELS)
    assert to_days(frame).first == date(2026, 3, 1)
