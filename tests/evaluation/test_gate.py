"""The gate's rules, on small pairs of classifiers."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.core import metrics
from gazette.evaluation.gate import behavior, floors, non_inferiority, paired_tests
from gazette.evaluation.gate.paired_tests import Pair
from gazette.evaluation.gate.rules import Floors, Rules
from gazette.evaluation.markdown import escape_cell, render_verdict, summarize_verdict
from gazette.registry.verdict import Finding, Verdict, decide

RULES = Rules(
    alpha=0.05, power=0.8, margin=0.02, resamples=500, seed=7, slice_margin=0.05, min_slice_rows=20,
    invariance_rows=10, min_invariance=0.9, warn_only=["milliseconds"],
    floors=Floors(accuracy=0.8, macro_f1=0.8, worst_recall=0.5, ece=0.1, megabytes=1, milliseconds=10),
)  # fmt: skip


def pair(rows: int, lost: int, won: int, classes: int = 2) -> Pair:
    """Ours gets `lost` rows wrong that theirs gets right, theirs `won` that ours gets right, both all others right."""
    actual = np.arange(rows) % classes
    ours, theirs = actual.copy(), actual.copy()
    ours[:lost] = (ours[:lost] + 1) % classes
    theirs[lost : lost + won] = (theirs[lost : lost + won] + 1) % classes
    return Pair(actual, ours, theirs, classes)


def test_two_that_always_agree_are_equal_on_many_rows_and_inconclusive_on_few() -> None:
    finding, figures = non_inferiority.check_non_inferiority(pair(200, 0, 0), RULES)
    assert finding.outcome == "pass" and figures["mcnemar_p"] == 1.0 and figures["disagree"] == 0
    finding, figures = non_inferiority.check_non_inferiority(pair(100, 0, 0), RULES)
    assert finding.outcome == "unknown" and 100 < figures["rows_needed"] < 500


def test_two_that_always_agree_differ_by_no_more_than_the_score_test_lets_them() -> None:
    z = 1.6448536
    bounds = [paired_tests.tango_bound(0, 0, 50, level) for level in (0.05, 0.95)]
    assert bounds == pytest.approx([-(z**2) / (50 + z**2), z**2 / (50 + z**2)], abs=1e-6)  # n·d / (1 − d) = z²


@pytest.mark.parametrize(("lost", "won", "rows"), [(5, 3, 60), (1, 20, 75), (12, 0, 100)])
def test_at_the_bound_the_rows_are_as_far_off_as_the_level_says(lost: int, won: int, rows: int) -> None:
    """The likeliest rates under the bound are looked for on a grid, not by the closed form."""
    bound = paired_tests.tango_bound(lost, won, rows, 0.05)
    share = np.linspace(max(0, -bound) + 1e-9, (1 - bound) / 2 - 1e-9, 2_000_001)  # of lost rows
    agree = (rows - lost - won) * np.log(1 - 2 * share - bound)
    best = share[np.argmax(won * np.log(share + bound) + lost * np.log(share) + agree)]
    distance = (won - lost - rows * bound) / math.sqrt(rows * (2 * best + bound - bound**2))
    assert distance == pytest.approx(1.6449, abs=1e-3)


@given(st.integers(1, 200), st.floats(0, 1), st.floats(0, 1))
def test_an_article_more_that_is_right_never_makes_it_worse(rows: int, apart: float, lean: float) -> None:
    """Neither for the bound in accuracy nor for McNemar's test."""
    differ = round(apart * rows)
    lost = round(lean * differ)
    if lost:
        before, after = ((lost, differ - lost), (lost - 1, differ - lost + 1))
        bounds = [paired_tests.tango_bound(*counts, rows, 0.05) for counts in (before, after)]
        assert bounds[0] <= bounds[1] + 1e-9


@pytest.mark.parametrize(
    ("rows", "lost", "won", "outcome"),
    [
        (1000, 0, 30, "pass"),
        (1000, 10, 10, "pass"),
        (1000, 60, 10, "fail"),
        (100, 6, 4, "unknown"),
        (100, 30, 0, "fail"),
    ],
)
def test_a_drop_beyond_the_margin_fails_and_too_few_rows_cannot_tell(
    rows: int, lost: int, won: int, outcome: str
) -> None:
    assert non_inferiority.check_non_inferiority(pair(rows, lost, won), RULES)[0].outcome == outcome


@pytest.mark.parametrize(("lost", "won", "outcome"), [(5, 5, "pass"), (6, 4, "fail"), (8, 4, "fail"), (4, 5, "pass")])
def test_an_inconclusive_verdict_names_enough_rows_to_decide(lost: int, won: int, outcome: str) -> None:
    finding, figures = non_inferiority.check_non_inferiority(pair(100, lost, won), RULES)
    needed = figures["rows_needed"]
    assert finding.outcome == "unknown" and f"about {needed:,} would be enough" in finding.why and needed > 100
    more = pair(needed, round(needed * lost / 100), round(needed * won / 100))
    assert non_inferiority.check_non_inferiority(more, RULES)[0].outcome == outcome


@pytest.mark.parametrize("warn_only", [[], ["milliseconds", "acuracy"], ["milliseconds", "provenance"]])
def test_a_clock_only_warns_provenance_always_blocks_and_an_unknown_rule_is_refused(warn_only: list[str]) -> None:
    with pytest.raises(ValueError, match=r"milliseconds is missing|not a rule that may warn"):
        Rules.model_validate(RULES.model_dump() | {"warn_only": warn_only})


@given(st.integers(2, 5), st.integers(0, 2**31))
def test_the_difference_is_the_one_of_the_figures_that_evaluate_shows(classes: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    actual, ours, theirs = draw.integers(classes, size=(3, 60))
    differences = paired_tests.bootstrap_differences(Pair(actual, ours, theirs, classes), 100, 7)
    f1 = metrics.macro_f1(actual, ours, classes) - metrics.macro_f1(actual, theirs, classes)
    assert math.isclose(differences["macro_f1"].observed, f1, abs_tol=1e-9)
    right = metrics.accuracy(actual, ours) - metrics.accuracy(actual, theirs)
    assert math.isclose(differences["accuracy"].observed, right, abs_tol=1e-9)


def test_more_errors_than_the_baseline_are_significant_by_mcnemars_test() -> None:
    compared = pair(100, 9, 1)
    pairs = paired_tests.discordant_pairs(compared.actual, compared.ours, compared.theirs)
    assert pairs == (9, 1)
    assert paired_tests.mcnemar(*pairs, "greater") == pytest.approx(11 / 1024)  # ten coins, nine heads or more
    assert paired_tests.mcnemar(*pairs, "two-sided") == pytest.approx(22 / 1024)
    assert paired_tests.mcnemar(0, 0, "greater") == 1


def in_slices(rows: int, of_first: int) -> pl.DataFrame:
    values = ["first" if row < of_first else "rest" for row in range(rows)]
    return pl.DataFrame({"slice": "file", "value": values, "row": range(rows)})


def test_a_slice_that_got_worse_fails_by_name_and_small_ones_are_ignored() -> None:
    (finding,), figures = non_inferiority.compare_slices(in_slices(1000, 50), pair(1000, 25, 0), RULES)
    assert finding.outcome == "fail" and finding.why == "file first, 50 rows: 1.0000 → 0.5000"
    assert [part["value"] for part in figures] == ["first", "rest"]
    (finding,), figures = non_inferiority.compare_slices(in_slices(1000, 19), pair(1000, 19, 0), RULES)
    assert finding.outcome == "pass" and [part["value"] for part in figures] == ["rest"]


@pytest.mark.parametrize("value", [None, math.nan, math.inf, 0.79])
def test_a_figure_below_its_floor_missing_or_no_number_fails(value: float | None) -> None:
    good = {"accuracy": 0.8, "macro_f1": 0.8, "worst_recall": 0.5, "ece": 0.1, "megabytes": 1.0, "milliseconds": 10.0}
    assert {finding.outcome for finding in floors.check_floors(good, RULES.floors)} == {"pass"}
    findings = floors.check_floors(good | {"accuracy": value}, RULES.floors)
    assert [finding.rule for finding in findings if finding.outcome == "fail"] == ["accuracy"]


def test_a_rule_that_only_warns_rejects_nothing_and_a_failure_goes_before_an_unknown() -> None:
    warns, blocks = (Finding("a", "fail", 1, 2, blocks=blocking) for blocking in (False, True))
    unsure = Finding("b", "unknown", 1, 2)
    assert [decide(some) for some in ([], [warns], [warns, unsure], [unsure, blocks])] == [
        "accept", "accept", "inconclusive", "reject",
    ]  # fmt: skip


def test_perturbations_change_the_text_and_nothing_else() -> None:
    english = behavior.perturbations("en", {"Blair": "Howard"})
    assert english["names"]("Mr Blair met Howard, not Blairson") == "Mr Howard met Blair, not Blairson"
    assert english["width"]("a B!") == "ａ Ｂ！" and english["punctuation"]("a, b.") == "a  b "
    assert english["typos"]("the minister said") != "the minister said"
    assert sorted(english["typos"]("the minister said")) == sorted("the minister said")
    chinese = behavior.perturbations("zh", {"张三": "李四"})
    assert (
        chinese["form"]("马上开会") == "馬上開會"
        and chinese["form"]("馬上開會") == "马上开会"
        and chinese["names"]("张三说") == "李四说"
    )
    assert "case" not in chinese and "typos" not in chinese


def counting(texts: list[str]) -> np.ndarray:
    """Sure of class 1 where a text has a capital letter."""
    return np.array([[0.2, 0.8] if any(map(str.isupper, text)) else [0.8, 0.2] for text in texts], np.float32)


def test_a_classifier_that_a_change_of_case_confuses_fails_that_rule_alone() -> None:
    texts, cases = ["goals, in May", "shares in june"] * 20, behavior.Cases()
    findings = behavior.check_invariance(texts, counting(texts).argmax(axis=1), counting, "en", cases, RULES)
    bad = {finding.rule: finding.why for finding in findings if finding.outcome == "fail"}
    assert bad["unchanged by case"] == "20 of 40 articles change their label" and "unchanged by punctuation" not in bad


def test_a_perturbation_that_affects_too_few_articles_is_inconclusive() -> None:
    findings = behavior.check_invariance(
        ["in May", "in june"], np.array([1, 0]), counting, "en", behavior.Cases(), RULES
    )
    assert {(finding.blocks, finding.outcome) for finding in findings} == {(False, "unknown")}


def test_written_cases_that_do_not_hold_are_named() -> None:
    cases = behavior.Cases(
        minimum=[behavior.Minimum(text="up", label="high"), behavior.Minimum(text="Up", label="high")],
        direction=[
            behavior.Direction(text="low", add="HIGH", label="high"),
            behavior.Direction(text="A", add="b", label="high"),
        ],
    )
    minimum, direction = behavior.check_cases(cases, ["low", "high"], counting)
    assert (minimum.observed, minimum.why) == ("1 of 2", "'up': low, not high")
    assert (direction.observed, direction.why) == ("1 of 2", "high does not gain from 'b'")


def test_a_reviewers_page_says_the_verdict_in_a_line_and_lets_no_text_break_out_of_its_cell() -> None:
    bad = Finding("minimum function", "fail", "0 of 1", "all", "'a | <b>@you': low")
    figures = {"rows": 9, "compared": "news has no champion yet", "ours": {"accuracy": 0.9}}
    verdict = Verdict("reject", "0123456789", "abc", "news", None, [bad], figures)
    assert summarize_verdict(verdict) == "Reject news 012345678 (news has no champion yet): minimum function"
    assert "'a \\| &#60;b&#62;&#64;&#8288;you': low" in render_verdict(verdict) and escape_cell("a\nb") == "a b"
