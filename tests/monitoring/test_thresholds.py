"""Thresholds from days in order: they hold what days have in common, which tests of independent draws do not."""

import numpy as np
import pytest

from gazette.core.arrays import Array
from gazette.monitoring import thresholds

WINDOW, RATE = 28, 1.0


def correlated_days(draw: np.random.Generator, days: int) -> tuple[Array, Array]:
    """Return sums and rows of days whose mean is shared by five days in a row."""
    means = np.repeat(draw.normal(0.5, 0.1, -(-days // 5)), 5)[:days]
    rows = np.full(days, 200.0)
    return (draw.normal(means, 0.01) * rows)[:, None], rows


def test_correlated_days_alarm_at_most_as_often_as_stated() -> None:
    draw, years, alarms = np.random.default_rng(1), 0.0, 0
    for seed in range(40):
        sums, rows = correlated_days(draw, 13 * WINDOW + 40 * WINDOW)
        limit = thresholds.threshold(sums[: 13 * WINDOW], rows[: 13 * WINDOW], WINDOW, RATE, 500, seed)
        assert limit
        for start in range(13 * WINDOW, len(rows), WINDOW):
            window = slice(start, start + WINDOW)
            reference = sums[: 13 * WINDOW].sum(axis=0), rows[: 13 * WINDOW].sum()
            alarms += bool(thresholds.distance(sums[window].sum(axis=0), rows[window].sum(), *reference) > limit)
        years += 40 * WINDOW / thresholds.DAYS_A_YEAR
    assert alarms / years <= RATE


def test_a_threshold_is_of_the_size_of_what_happens() -> None:
    """A limit that nothing reaches would keep any rate: the mean of five or six periods varies by about 0.04."""
    sums, rows = correlated_days(np.random.default_rng(2), 13 * WINDOW)
    limit = thresholds.threshold(sums, rows, WINDOW, RATE, 1000, 0)
    assert limit
    assert 0.05 < limit < 0.09


def test_rarer_alarms_need_a_larger_distance() -> None:
    sums, rows = correlated_days(np.random.default_rng(3), 13 * WINDOW)
    limits = [thresholds.threshold(sums, rows, WINDOW, rate, 1000, 0) for rate in (2.0, 0.5, 0.1)]
    assert limits == sorted(limits, key=lambda limit: limit or 0)
    assert len(set(limits)) == 3


def test_a_short_reference_has_no_threshold() -> None:
    sums, rows = correlated_days(np.random.default_rng(4), thresholds.MIN_WINDOWS * WINDOW - 1)
    assert thresholds.threshold(sums, rows, WINDOW, RATE, 500, 0) is None


@pytest.mark.parametrize(("rows", "factor"), [(100, 1.0), (400, 1.0), (25, 2.0), (0, 10.0)])
def test_a_window_of_few_rows_may_be_further_away(rows: float, factor: float) -> None:
    assert thresholds.widen(rows, 100) == factor


def test_the_distance_is_that_of_the_column_that_differs_most() -> None:
    first, second = np.array([50.0, 30, 20]), np.array([10.0, 8, 2])
    assert thresholds.distance(first, np.array(100.0), second, np.array(20.0)) == pytest.approx(0.1)
