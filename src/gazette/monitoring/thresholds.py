"""How far a window may be from the reference: thresholds from blocks of days of the reference period, in order; pure.

Days of news resemble each other, so a test that takes articles for independent draws alarms all the time. Here both
sides of the comparison are put together again from blocks of consecutive days, which keep what days have in common (H.
Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of Statistics 1989). A block is as
long as a window.
"""

from math import sqrt

import numpy as np

from gazette.core.arrays import Array

MIN_WINDOWS = 6  # of a reference period; with fewer, nothing is known of how much they differ
DAYS_A_YEAR = 365.25
_COMMON = 0.1  # share of windows beyond the quantile that the resampled distances show well


def distance(sums: Array, rows: Array, reference_sums: Array, reference_rows: Array) -> Array:
    """Return the largest difference between the means of two sides (L-infinity); the last axis of sums is columns."""
    means = [part / np.maximum(count, 1)[..., None] for part, count in ((sums, rows), (reference_sums, reference_rows))]
    largest: Array = np.abs(means[0] - means[1]).max(axis=-1, initial=0)
    return largest


def threshold(sums: Array, rows: Array, window: int, alarms_a_year: float, resamples: int, seed: int) -> float | None:
    """Return the distance that a window of `window` days exceeds at most `alarms_a_year` times if nothing changes.

    `sums` (days × columns) and `rows` are of the reference's days, in order; None if they are fewer than MIN_WINDOWS
    windows. The distance that one window in ten exceeds is extrapolated to the rare level, as a mean of so many blocks
    with unknown spread has it: Student's quantile in place of the normal one, with a degree of freedom for each block
    but two.
    """
    from scipy.stats import norm, t

    blocks = len(rows) / window
    if blocks < MIN_WINDOWS or not rows.any():
        return None
    draw = np.random.default_rng(seed)
    sides = [_resample(sums, rows, days, window, resamples, draw) for days in (window, len(rows))]
    level = min(alarms_a_year * window / DAYS_A_YEAR, _COMMON)
    rarer = t.isf(level / 2, blocks - 2) / norm.isf(_COMMON / 2) * sqrt(blocks / (blocks - 1))
    return float(np.quantile(distance(*sides[0], *sides[1]), 1 - _COMMON) * rarer)


def widen(rows: float, usual: float) -> float:
    """Return by what a threshold is multiplied if a window has fewer rows than usual ones; more rows narrow nothing."""
    return sqrt(max(usual / max(rows, 1), 1))


def _resample(
    sums: Array, rows: Array, days: int, block: int, times: int, draw: np.random.Generator
) -> tuple[Array, Array]:
    """Return the sums (times × columns) and rows (times) of so many days, in blocks that begin on any day.

    After the last day comes the first.
    """
    values = np.column_stack([rows, sums])
    cumulative = np.cumsum(np.vstack([np.zeros(values.shape[1]), values, values[:block]]), axis=0)
    total = np.zeros((times, values.shape[1]))
    for begin in range(0, days, block):
        start = draw.integers(len(rows), size=times)
        total += cumulative[start + min(block, days - begin)] - cumulative[start]
    return total[:, 1:], total[:, 0]
