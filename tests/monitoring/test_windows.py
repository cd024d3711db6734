"""Windows beside the reference: what alarms, and what cannot alarm yet."""

from datetime import timedelta

import numpy as np
import polars as pl
from journals import FIRST, records

from gazette.monitoring import signals, windows
from gazette.monitoring.params import Params

LABELS = ["sport", "world"]
PARAMS = Params(
    window_days=7, unlabeled_alarms_a_year=0.5, min_change=0.01, resamples=400, seed=7, loss=0.07,
    labeled_alarms_a_year=0.1, error_correlation=0.01, labels_a_week=25, disagreement=0.2, confidence=0.95,
)  # fmt: skip


def traffic(weeks: int, changed_from: int | None = None, seed: int = 0) -> signals.Days:
    """Return weeks of forty articles a day; from a week on, nine in ten are of the first label instead of half."""
    draw, rows = np.random.default_rng(seed), []
    for day in range(7 * weeks):
        share = 0.9 if changed_from is not None and day // 7 >= changed_from else 0.5
        rows += [{"day": day, "label": LABELS[int(draw.random() > share)]} for _ in range(40)]
    frame = records(rows, LABELS)
    start = FIRST - timedelta(days=FIRST.date().toordinal() % 7)  # windows begin on days divisible by seven
    days = signals.to_days(
        signals.count(frame.with_columns(pl.col("hour") - (FIRST - start)).lazy()), LABELS, ["und-Latn"]
    )
    assert days
    return days


def build(days: signals.Days, reference: signals.Days | None = None) -> list[windows.Row]:
    return windows.build_windows(days, days.first + timedelta(days=len(days.rows)), reference, PARAMS)


def test_the_first_windows_become_the_reference_and_cannot_alarm() -> None:
    rows = build(traffic(5, changed_from=3))
    assert [row["is_reference"] for row in rows] == [True] * 5
    assert [row["alarms"] for row in rows] == [[]] * 5
    assert not any(row["thresholds"] for row in rows)


def test_a_change_alarms_in_its_signal_and_goes_on_to_alarm() -> None:
    rows = build(traffic(20, changed_from=15))
    assert [row["alarms"] for row in rows] == [[]] * 15 + [["labels"]] * 5


def test_a_window_that_alarms_does_not_become_the_reference() -> None:
    rows = build(traffic(20, changed_from=8))
    assert [row["alarms"] for row in rows[8:]] == [["labels"]] * 12
    assert not any(row["is_reference"] for row in rows[8:])


def test_a_reference_of_its_own_judges_the_first_window() -> None:
    rows = build(traffic(3, changed_from=0, seed=1), traffic(15, seed=2))
    assert [row["alarms"] for row in rows] == [["labels"]] * 3
    assert not any(row["is_reference"] for row in rows)


def test_a_signal_that_never_varies_alarms_only_by_more_than_the_smallest_change_that_counts() -> None:
    limits = windows.find_limits(traffic(15), PARAMS)
    assert limits["language"] == PARAMS.min_change


def test_an_unfinished_window_is_not_judged() -> None:
    days = traffic(10)
    assert len(windows.build_windows(days, days.first + timedelta(days=69), None, PARAMS)) == 9


def test_a_row_describes_its_window() -> None:
    row = windows.describe(traffic(1))
    assert (row["rows"], row["confidence"].__round__(3), row["tokens"].__round__(3)) == (280, 0.9, 10.0)
    assert row["languages"] == {"und-Latn": 1.0}
    assert abs(sum(row["labels"].values()) - 1) < 1e-9
