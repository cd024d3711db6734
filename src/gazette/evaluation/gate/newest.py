"""Is a classifier no worse than another on the newest test rows? These are most like what it will read. Pure."""

from datetime import timedelta
from typing import Any

import polars as pl

from gazette.core import metrics
from gazette.core.escape import tally
from gazette.evaluation.gate.non_inferiority import required_rows
from gazette.evaluation.gate.paired_tests import (
    Pair,
    bootstrap_differences,
    discordant_pairs,
    mcnemar,
    tango_bound,
)
from gazette.evaluation.gate.rules import NEWEST, Rules
from gazette.registry.verdict import FAIL, PASS, UNKNOWN, Finding


def check_newest(dates: pl.Series, pair: Pair, rules: Rules, tests: int) -> tuple[Finding, dict[str, Any]]:
    """Check that accuracy on the rows of the last `newest_days` is within `newest_margin` of theirs.

    Passes if the difference is above −margin at level alpha; fails if it is not and ours makes significantly more
    errors, at alpha / `tests`, the kinds of tests that can reject; otherwise the result is unknown, and the finding
    names the rows that would decide. `dates` are those of the pair's rows, at least one of them not null.
    """
    is_newest = (dates > dates.max() - timedelta(days=rules.newest_days)).fill_null(False)  # type: ignore[operator]
    index = is_newest.arg_true().to_numpy()
    first, last = (str(day) for day in dates.filter(is_newest).dt.date().sort()[[0, -1]])
    window = Pair(pair.actual[index], pair.ours[index], pair.theirs[index], pair.classes)
    lost, won = discordant_pairs(window.actual, window.ours, window.theirs)
    rows, p = len(index), mcnemar(lost, won, "greater")
    low, high = (tango_bound(lost, won, rows, level) for level in (rules.alpha, 1 - rules.alpha))
    outcome = PASS if low > -rules.newest_margin else FAIL if p < rules.alpha / tests else UNKNOWN
    statistics: dict[str, Any] = {
        "from": first, "to": last, "rows": rows, "lost": lost, "won": won, "low": low,
        "high": high, "mcnemar_p": p, "ours": metrics.accuracy(window.actual, window.ours),
        "theirs": metrics.accuracy(window.actual, window.theirs), "rows_needed": 0,
    }  # fmt: skip
    why = (
        f"{tally(rows, 'row')} from {first} to {last}: {statistics['theirs']:.4f} → {statistics['ours']:.4f}, only "
        f"theirs correct on {lost:,}, only ours on {won:,}"
    )
    if outcome == UNKNOWN:
        difference = {"accuracy": bootstrap_differences(window, rules.resamples, rules.seed)["accuracy"]}
        needed = required_rows(difference, rows, rules.model_copy(update={"margin": rules.newest_margin}), tests)
        statistics["rows_needed"] = needed
        why += f"; too few rows to tell, about {needed:,} would be enough"
    return Finding(NEWEST, outcome, round(low, 6), f"above −{rules.newest_margin:g}", why), statistics
