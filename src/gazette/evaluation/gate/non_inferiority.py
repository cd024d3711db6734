"""Is one classifier no worse than another on the same rows, worse, or are there too few rows to tell? Pure.

Three kinds of tests share the gate's level alpha (Bonferroni): macro-F1, errors, and the slices (Holm among them); for
rows with dates the newest window is a fourth. Two equal classifiers are therefore rejected in at most alpha of all
comparisons, however many slices there are. To pass, ours must be within the margin on both metrics, each at level
alpha: a classifier that is worse by the margin or more on either is accepted in at most alpha of all comparisons, which
needs no correction for testing twice.
"""

from typing import Any

import numpy as np
import polars as pl
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from gazette.core import metrics
from gazette.core.escape import tally
from gazette.evaluation.gate.paired_tests import (
    MetricDifference,
    Pair,
    bootstrap_differences,
    discordant_pairs,
    mcnemar,
    tango_bound,
)
from gazette.evaluation.gate.rules import Rules
from gazette.registry.verdict import FAIL, PASS, UNKNOWN, Finding

TESTS = 3  # kinds of tests that can reject


def check_non_inferiority(pair: Pair, rules: Rules, tests: int = TESTS) -> tuple[Finding, dict[str, Any]]:
    """Check that accuracy and macro-F1 are within the margin of theirs; returns the finding and the statistics.

    Passes if both differences are above −margin at level alpha; fails if they are not and ours is significantly worse
    on either; otherwise the result is unknown, and the finding names the number of rows that would decide. Intervals
    are two-sided, with alpha at each end.
    """
    differences = bootstrap_differences(pair, rules.resamples, rules.seed)
    lost, won = discordant_pairs(pair.actual, pair.ours, pair.theirs)
    rows, p = len(pair.actual), mcnemar(lost, won, "greater")
    macro_f1 = differences["macro_f1"]
    bounds = {
        "accuracy": [tango_bound(lost, won, rows, level) for level in (rules.alpha, 1 - rules.alpha)],
        "macro_f1": [macro_f1.lower(rules.alpha), macro_f1.upper(rules.alpha)],
    }
    lowest = min(low for low, _ in bounds.values())
    corrected = rules.alpha / tests
    worse = macro_f1.upper(corrected) < 0 or p < corrected
    outcome = PASS if lowest > -rules.margin else FAIL if worse else UNKNOWN
    statistics: dict[str, Any] = {
        name: {"difference": difference.observed, "low": bounds[name][0], "high": bounds[name][1]}
        for name, difference in differences.items()
    }
    statistics |= {"mcnemar_p": p, "disagree": float(np.mean(pair.ours != pair.theirs)), "lost": lost, "won": won}
    why = f"{tally(rows, 'row')}, only theirs correct on {lost:,}, only ours on {won:,}"
    statistics["rows_needed"] = required_rows(differences, rows, rules, tests) if outcome == UNKNOWN else 0
    if outcome == UNKNOWN:
        why += f"; too few rows to tell, about {statistics['rows_needed']:,} would be enough"
    return Finding("non-inferiority", outcome, round(lowest, 6), f"above −{rules.margin:g}", why), statistics


def required_rows(differences: dict[str, MetricDifference], rows: int, rules: Rules, tests: int = TESTS) -> int:
    """Estimate the rows needed to decide either way at the power, if the observed differences were the true ones.

    Normal approximation. The distance to "no worse" is difference + margin, the distance to "worse" is −difference; the
    larger distance needs fewer rows. A classifier that is close to both needs many.
    """
    power = float(norm.ppf(rules.power))
    z_accept, z_reject = (float(norm.isf(level)) + power for level in (rules.alpha, rules.alpha / tests))
    accept, reject = 0.0, np.inf
    for difference in differences.values():
        deviation = max(float(difference.samples.std()), np.sqrt(rules.margin / rows)) * np.sqrt(rows)
        accept = max(accept, _rows_at(z_accept * deviation, difference.observed + rules.margin))
        reject = min(reject, _rows_at(z_reject * deviation, -difference.observed))
    return _round_up(max(min(accept, reject), rows + 1))


def _rows_at(deviation: float, distance: float) -> float:
    return (deviation / distance) ** 2 if distance > 1e-9 else np.inf


def _round_up(rows: float) -> int:
    step = 10 ** max(0, int(np.log10(rows)) - 1)
    return int(np.ceil(rows / step) * step)


def compare_slices(
    rows: pl.DataFrame, pair: Pair, rules: Rules, tests: int = TESTS
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Return a finding for each slice that got worse, or one for all if none did, and the statistics of every slice.

    `rows` has the columns `slice`, `value` and `row`, the index in the pair; a row is in several slices. A slice fails
    if ours makes significantly more errors on it (McNemar, with Holm's correction over all slices: S. Holm, "A Simple
    Sequentially Rejective Multiple Test Procedure", 1979) and its accuracy fell by the slice margin.
    """
    statistics = []
    for (kind, value), part in rows.group_by("slice", "value", maintain_order=True):
        if part.height >= rules.min_slice_rows:
            index = part["row"].to_numpy()
            actual, ours, theirs = (side[index] for side in (pair.actual, pair.ours, pair.theirs))
            p = mcnemar(*discordant_pairs(actual, ours, theirs), "greater")
            statistics.append(
                {"slice": kind, "value": value, "rows": part.height, "ours": metrics.accuracy(actual, ours),
                 "theirs": metrics.accuracy(actual, theirs), "p": p}
            )  # fmt: skip
    if not statistics:
        return [Finding("slices", PASS, "none is large enough", f"{rules.min_slice_rows} rows")], []
    worse, *_ = multipletests([row["p"] for row in statistics], alpha=rules.alpha / tests, method="holm")
    findings = [
        Finding("slices", FAIL, round(row["ours"] - row["theirs"], 6), f"above −{rules.slice_margin:g}",
                f"{row['slice']} {row['value']}, {tally(row['rows'], 'row')}: {row['theirs']:.4f} → {row['ours']:.4f}")
        for row, significant in zip(statistics, worse, strict=True)
        if significant and row["ours"] - row["theirs"] <= -rules.slice_margin
    ]  # fmt: skip
    return findings or [Finding("slices", PASS, f"{len(statistics)} no worse", "none worse")], statistics
