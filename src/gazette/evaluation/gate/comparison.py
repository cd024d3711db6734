"""Two classifiers on the same articles: is one no worse, worse, or are there too few rows to tell? Pure.

Three kinds of tests share the level of the gate (Bonferroni): macro-F1, errors, and the slices (Holm among them). Two
equal classifiers are therefore rejected in at most `level` of all comparisons, whatever the number of slices. To pass,
ours must be within the margin by both figures, each at the level: one that is worse by the margin, or more, in either
is accepted in at most `level` of all comparisons, and needs no correction for being asked twice.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import brentq
from scipy.stats import binomtest, norm
from statsmodels.stats.multitest import multipletests

from gazette.core import metrics
from gazette.evaluation.gate.rules import Rules
from gazette.registry.verdict import FAIL, PASS, UNKNOWN, Finding

Numbers = npt.NDArray[Any]
KINDS = 3  # of tests that can reject


@dataclass(frozen=True)
class Pair:
    """Classes by number: the right one of each article, and what either classifier says; how many classes there are."""

    actual: Numbers
    ours: Numbers
    theirs: Numbers
    classes: int


@dataclass(frozen=True)
class Difference:
    """Ours less theirs: on all rows, and on each bootstrap sample of the rows."""

    observed: float
    samples: Numbers

    def above(self, level: float) -> float:
        """The bound above which the difference is, at a one-sided level."""
        return float(np.quantile(self.samples, level))

    def below(self, level: float) -> float:
        """The bound below which it is."""
        return float(np.quantile(self.samples, 1 - level))


def differences(pair: Pair, resamples: int, seed: int) -> dict[str, Difference]:
    """The differences in accuracy and in macro-F1.

    Rows are resampled in pairs: both figures depend on how often each (actual, ours, theirs) occurs, and drawing rows
    with replacement draws these counts from a multinomial (B. Efron and R. Tibshirani, "An Introduction to the
    Bootstrap", 1993, chapter 6).
    """
    n, c = len(pair.actual), pair.classes
    kinds, counts = np.unique((pair.actual * c + pair.ours) * c + pair.theirs, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, size=resamples)
    drawn = np.vstack([counts, drawn])
    actual, ours, theirs = kinds // (c * c), kinds // c % c, kinds % c
    right = drawn @ ((ours == actual).astype(int) - (theirs == actual).astype(int)) / n
    f1 = _macro_f1(drawn, actual, ours, c) - _macro_f1(drawn, actual, theirs, c)
    return {name: Difference(float(found[0]), found[1:]) for name, found in (("accuracy", right), ("macro_f1", f1))}


def _macro_f1(drawn: Numbers, actual: Numbers, said: Numbers, classes: int) -> Numbers:
    """Of each sample (a row of counts of each kind); as `scoring.macro_f1`."""
    each = np.arange(classes)
    hits = drawn @ ((actual == said)[:, None] & (actual[:, None] == each))
    total = drawn @ ((actual[:, None] == each).astype(int) + (said[:, None] == each))
    return np.asarray(np.divide(2 * hits, total, out=np.zeros(hits.shape), where=total > 0).mean(axis=1))


def more_errors(actual: Numbers, ours: Numbers, theirs: Numbers) -> float:
    """The p-value of "we make no more errors": McNemar's exact test, one-sided.

    Of the rows that one of both gets right, as many should be ours as theirs (Q. McNemar, "Note on the Sampling Error
    of the Difference Between Correlated Proportions", 1947).
    """
    lost, won = apart(actual, ours, theirs)
    return float(binomtest(lost, lost + won, alternative="greater").pvalue) if lost + won else 1.0


def apart(actual: Numbers, ours: Numbers, theirs: Numbers) -> tuple[int, int]:
    """Rows that theirs alone gets right, and rows that ours alone does."""
    lost = int(((ours != actual) & (theirs == actual)).sum())
    return lost, int(((ours == actual) & (theirs != actual)).sum())


def accuracy_above(lost: int, won: int, rows: int, level: float) -> float:
    """The bound above which the difference in accuracy is, at a one-sided level; above one half, the bound below.

    By the score test, which takes the spread under the difference that it asks about (T. Tango, "Equivalence Test and
    Confidence Interval for the Difference in Proportions for the Paired-Sample Design", 1998): that two classifiers say
    the same on fifty rows does not prove that they would on a thousand, as a bootstrap of these rows has it.
    """
    z = float(norm.isf(level))
    end = -1 if z > 0 else 1
    if abs(_score(lost, won, rows, end * (1 - 1e-9))) <= abs(z):
        return float(end)
    return float(brentq(lambda difference: _score(lost, won, rows, difference) - z, 1e-9 - 1, 1 - 1e-9, xtol=1e-9))


def _score(lost: int, won: int, rows: int, difference: float) -> float:
    """How many standard deviations the rows are above a true difference; Tango's closed form.

    The likeliest share of lost rows under that difference solves 2·rows·q² + lean·q + free = 0.
    """
    lean = difference * (2 * rows - won + lost) - won - lost
    free = -lost * difference * (1 - difference)
    share = (np.sqrt(max(lean**2 - 8 * rows * free, 0)) - lean) / (4 * rows)
    variance = rows * (2 * share + difference * (1 - difference))
    return float((won - lost - rows * difference) / np.sqrt(max(variance, 1e-12)))


def non_inferiority(pair: Pair, rules: Rules) -> tuple[Finding, dict[str, Any]]:
    """Whether accuracy and macro-F1 are within the margin of theirs; and the figures.

    Passes where both differences are above −margin at the level; fails where they are not and ours is significantly
    worse in either; else it cannot be told, and how many rows would do is said. Intervals are as wide as the level is
    for their lower end.
    """
    found = differences(pair, rules.resamples, rules.seed)
    lost, won = apart(pair.actual, pair.ours, pair.theirs)
    rows, p = len(pair.actual), more_errors(pair.actual, pair.ours, pair.theirs)
    ends = {
        "accuracy": [accuracy_above(lost, won, rows, level) for level in (rules.level, 1 - rules.level)],
        "macro_f1": [found["macro_f1"].above(rules.level), found["macro_f1"].below(rules.level)],
    }
    lower = min(low for low, _ in ends.values())
    strict = rules.level / KINDS
    worse = found["macro_f1"].below(strict) < 0 or p < strict
    outcome = PASS if lower > -rules.margin else FAIL if worse else UNKNOWN
    figures = {
        name: {"difference": one.observed, "low": ends[name][0], "high": ends[name][1]} for name, one in found.items()
    } | {
        "mcnemar_p": p, "disagree": float(np.mean(pair.ours != pair.theirs)), "lost": lost, "won": won, "rows_needed": 0
    }  # fmt: skip
    why = f"{rows:,} rows, {lost:,} right there alone, {won:,} here alone"
    if outcome == UNKNOWN:
        figures["rows_needed"] = enough(found, rows, rules)
        why += f"; too few to tell: about {figures['rows_needed']:,} would do"
    return Finding("non-inferiority", True, outcome, round(lower, 6), f"above −{rules.margin:g}", why), figures


def enough(found: dict[str, Difference], rows: int, rules: Rules) -> int:
    """On how many rows one of the two answers would come, at the power, were the differences as observed the true ones.

    Normal approximation. That ours is no worse is the answer at a distance of difference + margin, that it is worse the
    one at −difference; the nearer one needs fewer rows. What is near to both needs many.
    """
    power = float(norm.ppf(rules.power))
    good, bad = (float(norm.isf(level)) + power for level in (rules.level, rules.level / KINDS))
    accept, reject = 0.0, np.inf
    for one in found.values():
        spread = max(float(one.samples.std()), np.sqrt(rules.margin / rows)) * np.sqrt(rows)
        accept = max(accept, _squared(good * spread, one.observed + rules.margin))
        reject = min(reject, _squared(bad * spread, -one.observed))
    return _round_up(max(min(accept, reject), rows + 1))


def _squared(spread: float, distance: float) -> float:
    return (spread / distance) ** 2 if distance > 1e-9 else np.inf


def _round_up(rows: float) -> int:
    step = 10 ** max(0, int(np.log10(rows)) - 1)
    return int(np.ceil(rows / step) * step)


def by_slice(judged: pl.DataFrame, pair: Pair, rules: Rules) -> tuple[list[Finding], list[dict[str, Any]]]:
    """A finding for each slice that got worse, one for all if none did, and the figures of every slice.

    `judged` has the columns `slice` and `value` of each row's slices and its place `row` in the pair. A slice fails
    where we make more errors on it (McNemar, Holm's correction over all slices: S. Holm, "A Simple Sequentially
    Rejective Multiple Test Procedure", 1979) and its accuracy fell by the slice margin.
    """
    figures = []
    for (kind, value), part in judged.group_by("slice", "value", maintain_order=True):
        rows = part["row"].to_numpy()
        if len(rows) < rules.min_slice_rows:
            continue
        actual, ours, theirs = (side[rows] for side in (pair.actual, pair.ours, pair.theirs))
        figures.append(
            {"slice": kind, "value": value, "rows": len(rows), "ours": metrics.accuracy(actual, ours),
             "theirs": metrics.accuracy(actual, theirs), "p": more_errors(actual, ours, theirs)}
        )  # fmt: skip
    if not figures:
        return [Finding("slices", True, PASS, "none is large enough", f"{rules.min_slice_rows} rows")], []
    worse, *_ = multipletests([one["p"] for one in figures], alpha=rules.level / KINDS, method="holm")
    findings = [
        Finding("slices", True, FAIL, round(one["ours"] - one["theirs"], 6), f"above −{rules.slice_margin:g}",
                f"{one['slice']} {one['value']}, {one['rows']:,} rows: {one['theirs']:.4f} → {one['ours']:.4f}")
        for one, significant in zip(figures, worse, strict=True)
        if significant and one["ours"] - one["theirs"] <= -rules.slice_margin
    ]  # fmt: skip
    return findings or [Finding("slices", True, PASS, f"{len(figures)} no worse", "none worse")], figures
