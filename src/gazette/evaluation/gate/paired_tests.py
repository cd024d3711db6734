"""Two classifiers on the same rows: the paired bootstrap, McNemar's test and Tango's interval. Pure."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

from gazette.core.arrays import Array


@dataclass(frozen=True)
class Pair:
    """Classes by number for each row: the actual one and both predictions; `classes` is how many classes there are."""

    actual: Array
    ours: Array
    theirs: Array
    classes: int


@dataclass(frozen=True)
class MetricDifference:
    """Ours minus theirs: on all rows, and on each bootstrap sample of the rows."""

    observed: float
    samples: Array

    def lower(self, level: float) -> float:
        """Return the lower confidence bound at a one-sided level."""
        return float(np.quantile(self.samples, level))

    def upper(self, level: float) -> float:
        """Return the upper confidence bound at a one-sided level."""
        return float(np.quantile(self.samples, 1 - level))


def bootstrap_differences(pair: Pair, resamples: int, seed: int) -> dict[str, MetricDifference]:
    """Bootstrap the differences in accuracy and in macro-F1.

    Rows are resampled in pairs: both metrics depend on how often each (actual, ours, theirs) occurs, and sampling rows
    with replacement samples these counts from a multinomial (B. Efron and R. Tibshirani, "An Introduction to the
    Bootstrap", 1993, chapter 6).
    """
    n, c = len(pair.actual), pair.classes
    triples, observed = np.unique((pair.actual * c + pair.ours) * c + pair.theirs, return_counts=True)
    resampled = np.random.default_rng(seed).multinomial(n, observed / n, size=resamples)
    counts = np.vstack([observed, resampled])
    actual, ours, theirs = triples // (c * c), triples // c % c, triples % c
    accuracy = counts @ ((ours == actual).astype(int) - (theirs == actual).astype(int)) / n
    macro_f1 = _macro_f1(counts, actual, ours) - _macro_f1(counts, actual, theirs)
    return {
        name: MetricDifference(float(values[0]), values[1:])
        for name, values in (("accuracy", accuracy), ("macro_f1", macro_f1))
    }


def _macro_f1(counts: Array, actual: Array, predicted: Array) -> Array:
    """Return the macro-F1 of each sample, a row of counts per kind of row; as `metrics.macro_f1`."""
    each = np.unique(actual)
    hits = counts @ ((actual == predicted)[:, None] & (actual[:, None] == each))
    total = counts @ ((actual[:, None] == each).astype(int) + (predicted[:, None] == each))
    return np.asarray(np.divide(2 * hits, total, out=np.zeros(hits.shape), where=total > 0).mean(axis=1))


def discordant_pairs(actual: Array, ours: Array, theirs: Array) -> tuple[int, int]:
    """Count the rows that only theirs classifies correctly (lost), and those that only ours does (won)."""
    lost = int(((ours != actual) & (theirs == actual)).sum())
    return lost, int(((ours == actual) & (theirs != actual)).sum())


def mcnemar(lost: int, won: int, alternative: Literal["greater", "two-sided"]) -> float:
    """Return the p-value of McNemar's exact test; `greater` tests for more lost rows than won ones.

    Under the null hypothesis, a discordant pair is lost or won with equal probability (Q. McNemar, "Note on the
    Sampling Error of the Difference Between Correlated Proportions", 1947).
    """
    return float(binomtest(lost, lost + won, alternative=alternative).pvalue) if lost + won else 1.0


def tango_bound(lost: int, won: int, rows: int, level: float) -> float:
    """Return the lower confidence bound of the difference in accuracy at a one-sided level; above 0.5, the upper one.

    It inverts the score test, whose variance is that under the hypothesized difference (T. Tango, "Equivalence Test and
    Confidence Interval for the Difference in Proportions for the Paired-Sample Design", 1998): two classifiers that
    agree on fifty rows need not agree on a thousand, as a bootstrap of these rows would imply.
    """
    z = float(norm.isf(level))
    end = -1 if z > 0 else 1
    if abs(_score(lost, won, rows, end * (1 - 1e-9))) <= abs(z):
        return float(end)
    return float(brentq(lambda difference: _score(lost, won, rows, difference) - z, 1e-9 - 1, 1 - 1e-9, xtol=1e-9))


def _score(lost: int, won: int, rows: int, difference: float) -> float:
    """Return the score statistic of the rows under a true difference; Tango's closed form.

    The maximum-likelihood share q of lost rows under that difference solves 2·rows·q² + b·q + c = 0.
    """
    b = difference * (2 * rows - won + lost) - won - lost
    c = -lost * difference * (1 - difference)
    share = (np.sqrt(max(b**2 - 8 * rows * c, 0)) - b) / (4 * rows)
    variance = rows * (2 * share + difference * (1 - difference))
    return float((won - lost - rows * difference) / np.sqrt(max(variance, 1e-12)))
