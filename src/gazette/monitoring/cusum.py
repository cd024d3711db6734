"""A CUSUM of errors: how many more than expected the labels that were asked at random have shown; pure.

An error adds 1 − k, a correct prediction takes k away, and the sum never falls below 0: the Bernoulli CUSUM (M.
Reynolds and Z. Stoumbos, "A CUSUM Chart for Monitoring a Proportion When Inspecting Continuously", Journal of Quality
Technology 1999). k lies between the error of the reference and one that is `loss` higher, where both are equally
likely. It is rounded to a multiple of 1/100, so the sum walks on a grid, and run lengths are those of a Markov chain,
exactly (D. Brook and D. Evans, "An Approach to the Probability Distribution of CUSUM Run Length", Biometrika 1972).
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log, sqrt

import numpy as np

from gazette.core.arrays import Array

STEPS = 100  # of the grid, in an error
MIN_ERROR = 0.005  # a reference without an error does not promise that there will be none
MAX_LABELS = 20_000  # after which a loss counts as never detected
_PARTS = 6  # of the distribution of error rates


@dataclass(frozen=True)
class CusumResult:
    """The sum after each label, and the index of the label at which it first reached the interval."""

    statistic: Array
    interval: float
    alarm_at: int | None


def run(errors: Array, error: float, loss: float, interval: float) -> CusumResult:
    """Return the sum after each of the labels; `errors` are 0 or 1 in order of time, `error` is that of the reference.

    The sum starts at 0 and goes on after an alarm.
    """
    down = _allowance(error, loss)
    walk = np.cumsum(np.where(np.asarray(errors, dtype=bool), STEPS - down, -down))
    statistic = (walk - np.minimum(np.minimum.accumulate(walk), 0)) / STEPS if walk.size else walk / STEPS
    crossed = np.flatnonzero(statistic >= interval - 1e-9)
    return CusumResult(statistic, interval, int(crossed[0]) if crossed.size else None)


@dataclass(frozen=True)
class Clusters:
    """Labels that were asked together, and the correlation of their errors beyond their common rate.

    News of a month resembles itself, so do its errors; labels of independent articles have no correlation.
    """

    labels: int = 1
    correlation: float = 0.0

    @property
    def effect(self) -> float:
        """The design effect: by what the variance of their mean is larger than that of independent labels."""
        return 1 + (self.labels - 1) * self.correlation


ALONE = Clusters()


@lru_cache(maxsize=256)
def decision_interval(
    error: float, loss: float, alarms_a_year: float, labels_a_year: float, clusters: Clusters = ALONE
) -> float:
    """Return the smallest interval with at most `alarms_a_year` false alarms while the error is that of the reference.

    The sum starts again at 0 after an alarm, so alarms are as frequent as labels a year are to the mean run length.
    With a design effect D, the interval is D times that of independent labels for D times as many alarms: as for a
    Brownian motion with D times the variance and the same drift. By simulation (docs/benchmarks/monitoring.md), it
    keeps the rate.
    """
    wanted = labels_a_year / alarms_a_year / clusters.effect
    down, rate = _allowance(error, loss), max(error, MIN_ERROR)
    low, high = 0, STEPS
    while _mean_run_length(high, down, rate) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _mean_run_length(middle, down, rate) >= wanted else (middle, high)
    return round(clusters.effect * high) / STEPS


def alarms_a_year(actual: float, error: float, loss: float, interval: float, labels_a_year: float) -> float:
    """Return how many alarms a year there are if the error is `actual` and not that of the reference."""
    return labels_a_year / _mean_run_length(round(interval * STEPS), _allowance(error, loss), max(actual, MIN_ERROR))


def labels_to_detect(
    actual: float, error: float, loss: float, interval: float, share: float = 0.9, clusters: Clusters = ALONE
) -> int | None:
    """Return after how many labels an error of `actual` is detected in `share` of runs; None if after MAX_LABELS.

    The sum is at 0 when the loss begins, which is its slowest start.
    """
    down, rates = _allowance(error, loss), _spread_rates(actual, clusters)
    mass = np.zeros((len(rates), round(interval * STEPS)))
    mass[:, 0] = 1 / len(rates)
    for label in range(1, MAX_LABELS + 1):
        mass = _step(mass, down, rates)
        if mass.sum() <= 1 - share:
            return label
        if label % clusters.labels == 0:
            mass[:] = mass.mean(axis=0)
    return None


def detection_table(
    error: float,
    losses: list[float],
    labels_a_week: list[int],
    false_alarms: float,
    weeks: float,
    correlation: float,
    share: float = 0.9,
) -> list[dict[str, float | int | None]]:
    """Return within how many weeks so many labels a week detect a loss in `share` of runs, each CUSUM for its loss.

    Errors of the same `weeks` have this correlation.
    """
    rows: list[dict[str, float | int | None]] = []
    for loss in losses:
        for weekly in labels_a_week:
            clusters = Clusters(max(round(weekly * weeks), 1), correlation)
            interval = decision_interval(error, loss, false_alarms, weekly * 365.25 / 7, clusters)
            labels = labels_to_detect(error + loss, error, loss, interval, share, clusters)
            row = {"loss": loss, "labels_a_week": weekly, "interval": interval, "labels": labels}
            rows.append(row | {"weeks": labels and ceil(labels / weekly)})
    return rows


def _spread_rates(rate: float, clusters: Clusters) -> Array:
    """Return equally likely error rates of clusters: middles of parts of a beta distribution, with its variance."""
    from scipy.stats import beta

    if clusters.effect == 1:
        return np.array([rate])
    scale = (1 - clusters.correlation) / clusters.correlation
    middles = beta.ppf((np.arange(_PARTS) + 0.5) / _PARTS, rate * scale, (1 - rate) * scale)
    spread = sqrt(clusters.correlation * rate * (1 - rate))
    return np.asarray((rate + (middles - middles.mean()) / middles.std() * spread).clip(0, 1))


def _allowance(error: float, loss: float) -> int:
    """Return k in steps: strictly between 0 and 1, and where the two errors are equally likely."""
    low = max(error, MIN_ERROR)
    high = min(low + loss, 1 - MIN_ERROR)
    if not low < high:
        raise ValueError(f"an error of {error:g} leaves no room for a loss of {loss:g}")
    right = log((1 - low) / (1 - high))
    return min(max(round(STEPS * right / (right + log(high / low))), 1), STEPS - 1)


def _step(mass: Array, down: int, rates: Array) -> Array:
    """Return the distribution of the sum (rates × states) after one more label; what reaches the interval leaves it."""
    up, after, wrong = STEPS - down, np.zeros_like(mass), rates[:, None]
    after[:, : max(mass.shape[1] - down, 0)] = (1 - wrong) * mass[:, down:]
    after[:, 0] += (1 - rates) * mass[:, :down].sum(axis=1)
    after[:, up:] += wrong * mass[:, : max(mass.shape[1] - up, 0)]
    return after


@lru_cache(maxsize=4096)
def _mean_run_length(states: int, down: int, rate: float) -> float:
    """Return the mean number of labels from 0 to an alarm, by the linear system (I − Q) L = 1 of the chain."""
    from scipy.linalg import solve_banded

    up = STEPS - down
    bands = np.zeros((down + up + 1, states))  # bands[up + row − column, column]
    bands[up] = 1
    bands[0, up:] -= rate
    bands[-1, : max(states - down, 0)] -= 1 - rate
    first = np.arange(min(down, states))  # from which the sum falls to 0
    bands[up + first, 0] -= 1 - rate
    return float(solve_banded((down, up), bands, np.ones(states))[0])
