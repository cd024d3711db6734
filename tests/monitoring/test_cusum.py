"""The CUSUM of errors: its sum, its interval for a stated rate of false alarms, and how soon it detects a loss."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.core.arrays import Array
from gazette.monitoring import cusum

ERRORS = st.lists(st.booleans(), max_size=200)


@given(ERRORS, st.floats(0, 0.6), st.floats(0.02, 0.3))
def test_the_sum_is_that_of_the_recursion(errors: list[bool], error: float, loss: float) -> None:
    allowance, total, sums = cusum._allowance(error, loss) / cusum.STEPS, 0.0, []
    for wrong in errors:
        total = max(0.0, total + wrong - allowance)
        sums.append(total)
    result = cusum.run(np.array(errors), error, loss, 2.0)
    np.testing.assert_allclose(result.statistic, sums, atol=1e-9)
    assert result.alarm_at == next((at for at, value in enumerate(sums) if value > 2 - 1e-9), None)


@given(st.floats(0, 0.6), st.floats(0.02, 0.3))
def test_the_allowance_lies_between_the_two_errors(error: float, loss: float) -> None:
    low, step = max(error, cusum.MIN_ERROR), 1 / cusum.STEPS
    assert low - step <= cusum._allowance(error, loss) / cusum.STEPS <= low + loss + step


def test_false_alarms_are_as_rare_as_stated() -> None:
    """The chain's interval, tried on a simulated thousand years of daily labels whose error never changes."""
    interval = cusum.decision_interval(0.4, 0.07, 0.5, 365)
    draw, alarms, years = np.random.default_rng(4), 0, 500
    errors = draw.random(365 * years) < 0.4
    while (at := cusum.run(errors, 0.4, 0.07, interval).alarm_at) is not None:
        alarms, errors = alarms + 1, errors[at + 1 :]
    assert 0.4 < alarms / years < 0.6  # 0.5 and three standard errors


def test_a_smaller_interval_would_alarm_more_often_than_stated() -> None:
    interval = cusum.decision_interval(0.1, 0.05, 0.1, 700)
    assert cusum.alarms_a_year(0.1, 0.1, 0.05, interval, 700) <= 0.1
    assert cusum.alarms_a_year(0.1, 0.1, 0.05, interval - 1 / cusum.STEPS, 700) > 0.1


def test_a_loss_is_detected_within_the_stated_labels() -> None:
    interval = cusum.decision_interval(0.4, 0.07, 0.1, 365)
    labels = cusum.labels_to_detect(0.47, 0.4, 0.07, interval)
    assert labels is not None
    draw = np.random.default_rng(5)
    runs = [cusum.run(draw.random(labels) < 0.47, 0.4, 0.07, interval).alarm_at for _ in range(1000)]
    assert 0.87 < sum(at is not None for at in runs) / 1000 < 0.93


def clustered(draw: np.random.Generator, rate: float, clusters: cusum.Clusters, count: int) -> Array:
    """Return errors whose rate is that of their cluster, drawn from a beta distribution."""
    scale = (1 - clusters.correlation) / clusters.correlation
    rates = draw.beta(rate * scale, (1 - rate) * scale, -(-count // clusters.labels))
    return draw.random(count) < np.repeat(rates, clusters.labels)[:count]


def test_false_alarms_are_as_rare_as_stated_where_errors_of_a_month_resemble_each_other() -> None:
    clusters, a_year = cusum.Clusters(100, 0.01), 1300
    interval = cusum.decision_interval(0.1, 0.05, 0.5, a_year, clusters)
    plain = cusum.decision_interval(0.1, 0.05, 0.5, a_year)
    errors, alarms = (
        clustered(np.random.default_rng(6), 0.1, clusters, 250 * a_year),
        dict.fromkeys((interval, plain), 0),
    )
    for limit in alarms:
        rest = errors
        while (at := cusum.run(rest, 0.1, 0.05, limit).alarm_at) is not None:
            alarms[limit], rest = alarms[limit] + 1, rest[at + 1 :]
    assert alarms[interval] / 250 <= 0.5
    assert alarms[plain] / 250 > 0.8  # as if the labels were independent


def test_rates_of_clusters_have_the_variance_of_their_correlation() -> None:
    rates = cusum._spread_rates(0.1, cusum.Clusters(10, 0.02))
    assert rates.mean() == pytest.approx(0.1)
    assert rates.var() == pytest.approx(0.02 * 0.1 * 0.9)


def test_a_loss_is_detected_within_the_stated_labels_in_clusters() -> None:
    clusters = cusum.Clusters(25, 0.02)
    interval = cusum.decision_interval(0.2, 0.07, 0.2, 325, clusters)
    labels = cusum.labels_to_detect(0.27, 0.2, 0.07, interval, 0.9, clusters)
    assert labels is not None
    draw = np.random.default_rng(8)
    runs = [cusum.run(clustered(draw, 0.27, clusters, labels), 0.2, 0.07, interval).alarm_at for _ in range(1500)]
    assert 0.87 < sum(at is not None for at in runs) / 1500 < 0.93


def test_more_labels_a_week_need_fewer_weeks() -> None:
    rows = cusum.detection_table(0.4, [0.07], [7, 25, 100], 0.1, 4, 0.01)
    weeks = [row["weeks"] for row in rows]
    assert weeks == sorted(weeks, reverse=True)
    assert weeks[0] > weeks[-1]


def test_a_reference_without_errors_does_not_alarm_at_the_first_error() -> None:
    interval = cusum.decision_interval(0.0, 0.07, 0.1, 365)
    assert cusum.run(np.array([1]), 0.0, 0.07, interval).alarm_at is None


def test_no_labels_are_no_alarm() -> None:
    assert cusum.run(np.array([]), 0.1, 0.05, 3.0).alarm_at is None


def test_a_loss_that_leaves_nothing_right_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no room for a loss"):
        cusum.run(np.array([1]), 0.995, 0.07, 3.0)
