"""The newest window: no loss on the rows that are most like what a classifier will read."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from gates import RULES
from hypothesis import given
from hypothesis import strategies as st

from gazette.evaluation.gate.newest import check_newest
from gazette.evaluation.gate.paired_tests import Pair
from gazette.registry.verdict import Finding, Verdict

NEWEST = datetime(2026, 1, 31, 12, tzinfo=UTC)
TESTS = 4


def pair(rows: int, lost: list[int], won: list[int]) -> Pair:
    actual = np.zeros(rows, dtype=np.int64)
    ours, theirs = actual.copy(), actual.copy()
    ours[lost], theirs[won] = 1, 1
    return Pair(actual, ours, theirs, 2)


def dates(newest: int, older: int) -> pl.Series:
    """The newest rows first, an hour apart; the older ones a year before."""
    moments = [NEWEST - timedelta(hours=hour) for hour in range(newest)]
    moments += [NEWEST - timedelta(days=365 + number) for number in range(older)]
    return pl.Series(moments, dtype=pl.Datetime("us", "UTC"))


def check(newest: int, lost: int, won: int, older: int = 500, older_lost: int = 0) -> Finding:
    places = [*range(lost), *range(newest, newest + older_lost)]
    both = pair(newest + older, places, list(range(lost, lost + won)))
    return check_newest(dates(newest, older), both, RULES, TESTS)[0]


@pytest.mark.parametrize(
    ("newest", "lost", "won", "outcome"),
    [(400, 4, 4, "pass"), (400, 0, 40, "pass"), (400, 40, 5, "fail"), (400, 22, 12, "unknown"), (30, 0, 0, "unknown")],
)
def test_a_loss_on_the_newest_rows_blocks_and_few_rows_cannot_tell(
    newest: int, lost: int, won: int, outcome: str
) -> None:
    finding = check(newest, lost, won)
    assert (finding.rule, finding.outcome, finding.blocks) == ("newest window", outcome, True)


def test_older_rows_count_for_nothing() -> None:
    assert check(400, 4, 4, older_lost=400).outcome == "pass"
    assert check(400, 40, 5).why == check(400, 40, 5, older=0).why


def test_what_cannot_be_told_says_how_many_rows_would_decide_and_they_do() -> None:
    both = pair(560, [*range(1)], [])
    finding, figures = check_newest(dates(60, 500), both, RULES, TESTS)
    assert finding.outcome == "unknown"
    assert finding.why.startswith("60 rows from 2026-01-29 to 2026-01-31: 1.0000 → 0.9833, only theirs correct on 1")
    assert finding.why.endswith(f"about {figures['rows_needed']:,} would be enough")
    needed = figures["rows_needed"]
    assert check(needed, round(needed / 60), 0).outcome == "pass"


def test_rows_without_a_date_are_in_no_window() -> None:
    days = dates(100, 0).extend(pl.Series([None] * 100, dtype=pl.Datetime("us", "UTC")))
    assert check_newest(days, pair(200, list(range(100, 200)), []), RULES, TESTS)[1]["rows"] == 100


@given(st.integers(1, 400), st.integers(0, 200), st.integers(0, 200))
def test_the_window_ends_with_the_newest_row_and_has_its_days(days: int, newest: int, older: int) -> None:
    table = dates(newest + 1, older)
    rules = RULES.model_copy(update={"newest_days": days})
    figures = check_newest(table, pair(len(table), [], []), rules, TESTS)[1]
    assert figures["to"] == "2026-01-31"
    assert figures["rows"] == (table > NEWEST - timedelta(days=days)).sum()


def test_two_equal_classifiers_are_seldom_rejected_and_a_loss_of_the_margin_is_seldom_accepted() -> None:
    """A thousand comparisons on three hundred rows each, with a tenth of disagreement."""
    random = np.random.default_rng(7)

    def rate(lost: float, won: float, outcome: str) -> float:
        hits = 0
        for _ in range(1000):
            rows = random.choice(3, p=[lost, won, 1 - lost - won], size=300)
            places = [np.flatnonzero(rows == kind).tolist() for kind in (0, 1)]
            rules = RULES.model_copy(update={"resamples": 100})
            hits += check_newest(dates(300, 0), pair(300, *places), rules, TESTS)[0].outcome == outcome
        return hits / 1000

    assert rate(0.05, 0.05, "fail") <= RULES.alpha / TESTS + 0.01
    assert rate(0.075, 0.025, "pass") <= RULES.alpha + 0.02


def test_a_verdict_says_how_many_rows_each_question_wants() -> None:
    figures = {"rows": 100, "difference": {"rows_needed": 4000}, "newest": {"rows": 30, "rows_needed": 200}}
    verdict = Verdict("inconclusive", "d", "r", "tiny", None, [], figures)
    assert verdict.rows_needed == (
        "; 100 test rows, about 4,000 would be enough; 30 rows in the newest window, about 200 would be enough"
    )
