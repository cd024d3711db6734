"""The gate's rules, on small pairs of classifiers."""

import math

import numpy as np
import polars as pl
import pytest
from gates import RULES
from hypothesis import given
from hypothesis import strategies as st

from gazette.core import metrics
from gazette.evaluation.gate import floors, non_inferiority, paired_tests
from gazette.evaluation.gate.paired_tests import Pair
from gazette.evaluation.gate.rules import Rules
from gazette.evaluation.markdown import escape_cell, render_verdict, summarize_verdict
from gazette.registry.verdict import Finding, Verdict


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


@pytest.mark.parametrize(("level", "z"), [(0.05, 1.6448536), (0.45, 0.1256613)])
def test_two_that_always_agree_differ_by_no_more_than_the_score_test_lets_them(level: float, z: float) -> None:
    bounds = [paired_tests.tango_bound(0, 0, 50, side) for side in (level, 1 - level)]
    assert bounds == pytest.approx([-(z**2) / (50 + z**2), z**2 / (50 + z**2)], abs=1e-6)  # n·d / (1 − d) = z²


@given(st.integers(1, 500), st.sampled_from([(0.05, 1.6448536), (0.3, 0.5244005)]))
def test_where_every_row_is_lost_the_difference_may_be_whole(rows: int, side: tuple[float, float]) -> None:
    level, z = side
    bounds = [paired_tests.tango_bound(rows, 0, rows, level) for level in (level, 1 - level)]
    assert bounds == pytest.approx([-1, (z**2 - rows) / (z**2 + rows)], abs=1e-6)  # n·(1 + d) / (1 − d) = z²
    bounds = [paired_tests.tango_bound(0, rows, rows, level) for level in (level, 1 - level)]
    assert bounds == pytest.approx([(rows - z**2) / (rows + z**2), 1], abs=1e-6)


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


def with_a_rare_class(lost: int, won: int) -> Pair:
    """Ours loses rows of a class of a hundred, and wins some of a class of four, which sways macro-F1 either way."""
    actual = np.repeat([0, 1], [100, 4])
    ours, theirs = actual.copy(), actual.copy()
    ours[:lost], theirs[100 : 100 + won] = 1, 0
    return Pair(actual, ours, theirs, 2)


@pytest.mark.parametrize(
    ("lost", "won", "p", "outcome"),
    [
        (8, 1, 10 / 2**9, "unknown"),
        (9, 1, 11 / 2**10, "fail"),
        (14, 4, (1 + 18 + 153 + 816 + 3060) / 2**18, "fail"),
    ],
)
def test_errors_reject_from_a_third_of_the_level_as_three_kinds_of_tests_share_it(
    lost: int, won: int, p: float, outcome: str
) -> None:
    finding, figures = non_inferiority.check_non_inferiority(with_a_rare_class(lost, won), RULES)
    assert figures["mcnemar_p"] == pytest.approx(p) and (p < 0.05 / 3) == (outcome == "fail")
    assert figures["macro_f1"]["high"] > 0 and finding.outcome == outcome


@pytest.mark.parametrize(("lost", "outcome"), [(3, "unknown"), (5, "fail")])
def test_macro_f1_rejects_from_a_third_of_the_level(lost: int, outcome: str) -> None:
    """Of samples of a hundred rows, 4.8% have none of three lost rows, and 0.6% none of five."""
    finding, figures = non_inferiority.check_non_inferiority(pair(100, lost, 0), RULES)
    assert figures["mcnemar_p"] >= 1 / 2**5 > 0.05 / 3
    assert finding.outcome == outcome


def test_the_statistics_are_those_of_the_rows() -> None:
    finding, figures = non_inferiority.check_non_inferiority(pair(200, 6, 4), RULES)
    assert (figures["lost"], figures["won"], figures["disagree"]) == (6, 4, 0.05)
    assert figures["accuracy"]["difference"] == pytest.approx(-0.01)
    for metric in ("accuracy", "macro_f1"):
        assert figures[metric]["low"] < figures[metric]["difference"] < figures[metric]["high"]
    assert finding.expected == "above −0.02"
    assert finding.why.startswith("200 rows, only theirs correct on 6, only ours on 4; too few rows")


@pytest.mark.parametrize("rows", [200, 300, 700])
def test_the_lower_of_both_bounds_is_shown_with_six_decimals(rows: int) -> None:
    finding, figures = non_inferiority.check_non_inferiority(pair(rows, 6, 4), RULES)
    assert finding.observed == round(min(figures["accuracy"]["low"], figures["macro_f1"]["low"]), 6)


@pytest.mark.parametrize(("lost", "won"), [(0, 30), (60, 10)])
def test_a_comparison_that_is_decided_needs_no_more_rows(lost: int, won: int) -> None:
    finding, figures = non_inferiority.check_non_inferiority(pair(1000, lost, won), RULES)
    assert figures["rows_needed"] == 0 and finding.why.endswith(f"only ours on {won}")


def test_the_rows_needed_are_those_of_the_normal_approximation() -> None:
    """1.645 + 0.842 deviations to be no worse, 2.128 + 0.842 to be worse; 0.4 is the deviation of a single row."""

    def needed(rows: int, *observed: float, deviation: float = 0.04) -> int:
        samples = np.array([-deviation, deviation])
        differences = {f"{n}": paired_tests.MetricDifference(o, o + samples) for n, o in enumerate(observed)}
        return non_inferiority.required_rows(differences, rows, RULES)

    assert needed(100, -0.01) == 9900  # (2.487 · 0.4 / 0.01)² = 9893 to pass; 14109 to fail
    assert needed(100, -0.015) == 6300  # (2.970 · 0.4 / 0.015)² = 6270 to fail; 39572 to pass
    assert needed(100, 0.03, -0.01) == needed(100, -0.01, 0.03) == 9900  # the worse of both is to pass,
    assert (
        needed(100, -0.03, -0.01) == needed(100, -0.01, -0.03) == 1600
    )  # and either is to fail: (2.970 · 0.4 / 0.03)²
    assert needed(100, -0.02) == 3600 and needed(100, 0.02) == 620  # at the margin it cannot pass; above 0 not fail
    assert needed(100, 0, deviation=0) == 310  # two that agree: as if the margin were their deviation, 2.487² / 0.02
    assert needed(1000, 0, deviation=0) == 1100  # more than there are, in two figures
    assert needed(98, 0.1) == 99


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


def test_a_class_without_rows_is_left_out_of_macro_f1() -> None:
    actual, ours, theirs = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1])
    difference = paired_tests.bootstrap_differences(Pair(actual, ours, theirs, 4), 100, 7)["macro_f1"]
    assert difference.observed == pytest.approx((2 / 3 + 4 / 5 - 2) / 2)
    assert -1 <= difference.samples.min() <= difference.samples.max() == 0


def test_there_are_as_many_samples_as_asked_for_around_what_is_observed() -> None:
    for difference in paired_tests.bootstrap_differences(pair(400, 60, 20), 1000, 7).values():
        assert difference.samples.shape == (1000,)
        assert difference.samples.mean() == pytest.approx(difference.observed, abs=0.005)
        assert difference.samples.std() == pytest.approx(math.sqrt(80 - 40**2 / 400) / 400, rel=0.1)
        assert (difference.samples < difference.lower(0.05)).mean() == pytest.approx(0.05, abs=0.01)
        assert (difference.samples > difference.upper(0.05)).mean() == pytest.approx(0.05, abs=0.01)


def test_more_errors_than_the_baseline_are_significant_by_mcnemars_test() -> None:
    compared = pair(100, 9, 1)
    pairs = paired_tests.discordant_pairs(compared.actual, compared.ours, compared.theirs)
    assert pairs == (9, 1)
    assert paired_tests.mcnemar(*pairs, "greater") == pytest.approx(11 / 1024)  # ten coins, nine heads or more
    assert paired_tests.mcnemar(*pairs, "two-sided") == pytest.approx(22 / 1024)
    assert paired_tests.mcnemar(0, 0, "greater") == 1
    assert paired_tests.mcnemar(1, 1, "greater") == pytest.approx(3 / 4)  # two coins, a head or two


def in_slices(rows: int, of_first: int) -> pl.DataFrame:
    values = ["first" if row < of_first else "rest" for row in range(rows)]
    return pl.DataFrame({"slice": "file", "value": values, "row": range(rows)})


def test_a_slice_that_got_worse_fails_by_name_and_small_ones_are_ignored() -> None:
    (finding,), figures = non_inferiority.compare_slices(in_slices(1000, 50), pair(1000, 25, 0), RULES)
    assert finding.outcome == "fail" and finding.why == "file first, 50 rows: 1.0000 → 0.5000"
    assert [part["value"] for part in figures] == ["first", "rest"]
    (finding,), figures = non_inferiority.compare_slices(in_slices(1000, 19), pair(1000, 19, 0), RULES)
    assert finding.outcome == "pass" and [part["value"] for part in figures] == ["rest"]


def slices_of_a_hundred(*counts: tuple[int, int]) -> tuple[pl.DataFrame, Pair]:
    """A slice of each (lost, won)."""
    sides = [pair(100, lost, won) for lost, won in counts]
    actual, ours, theirs = (
        np.concatenate([getattr(side, name) for side in sides]) for name in ("actual", "ours", "theirs")
    )
    values = [f"{number // 100}" for number in range(len(actual))]
    return pl.DataFrame({"slice": "file", "value": values, "row": range(len(actual))}), Pair(actual, ours, theirs, 2)


@pytest.mark.parametrize(
    ("counts", "worse"),
    [
        ([(8, 1)], []),  # p = 10/512 is above a third of the level, 11/1024 is below it,
        ([(9, 1)], [0]),
        ([(9, 1), (9, 1)], []),  # but not below its half
        ([(9, 1), (10, 1)], [0, 1]),  # 12/2048 is, and leaves the whole third to the other slice
        ([(14, 4)], [0]),  # 4048/2^18 is just below it
    ],
)
def test_slices_reject_from_a_third_of_the_level_which_they_share_by_holms_procedure(
    counts: list[tuple[int, int]], worse: list[int]
) -> None:
    findings, figures = non_inferiority.compare_slices(*slices_of_a_hundred(*counts), RULES)
    assert [finding.why[:6] for finding in findings if finding.outcome == "fail"] == [f"file {n}" for n in worse]
    assert len(figures) == len(counts)
    if not worse:
        assert findings[0].observed == f"{len(counts)} no worse"


def test_a_slice_fails_from_the_slice_margin() -> None:
    for rows, outcome in ((112, "fail"), (113, "pass")):  # a loss of seven, 0.0625 or less
        rules = RULES.model_copy(update={"slice_margin": 0.0625})
        (finding,), figures = non_inferiority.compare_slices(in_slices(rows, rows), pair(rows, 7, 0), rules)
        assert finding.outcome == outcome and figures[0]["p"] == 1 / 2**7


def test_a_slice_of_the_least_rows_is_compared_and_without_any_the_rule_passes() -> None:
    (finding,), figures = non_inferiority.compare_slices(in_slices(40, 20), pair(40, 0, 0), RULES)
    assert finding.observed == "2 no worse"
    assert figures[0] == {"slice": "file", "value": "first", "rows": 20, "ours": 1.0, "theirs": 1.0, "p": 1.0}
    (finding,), figures = non_inferiority.compare_slices(in_slices(38, 19), pair(38, 19, 0), RULES)
    assert (finding.outcome, finding.observed, figures) == ("pass", "none is large enough", [])


@pytest.mark.parametrize("value", [None, math.nan, math.inf, 0.79])
def test_a_figure_below_its_floor_missing_or_no_number_fails(value: float | None) -> None:
    good = {"accuracy": 0.8, "macro_f1": 0.8, "worst_recall": 0.5, "ece": 0.1, "megabytes": 1.0, "milliseconds": 10.0}
    assert {finding.outcome for finding in floors.check_floors(good, RULES.floors)} == {"pass"}
    findings = floors.check_floors(good | {"accuracy": value}, RULES.floors)
    assert [finding.rule for finding in findings if finding.outcome == "fail"] == ["accuracy"]


def test_a_floor_that_is_missed_names_the_weakest_class_and_its_first_wrong_articles() -> None:
    rows = pl.DataFrame({"file": "news.csv", "line": range(2, 12)})
    actual, predicted = np.array([0] * 5 + [1] * 5), np.array([0] * 5 + [0, 0, 0, 2, 1])
    why = floors.explain_weakest(rows, actual, predicted, ["sport", "weather", "trade"])
    assert why == (
        "the weakest class is 'weather': 1 of its 5 test articles are right, most others are taken for 'sport'; "
        "the first: news.csv, line 7, 8, 9"
    )
    missed = [finding for finding in floors.check_floors({"worst_recall": 0.2, "ece": 0.9}, RULES.floors, why)
              if finding.rule in ("worst_recall", "ece")]  # fmt: skip
    assert [finding.why for finding in missed] == [why, ""]
    assert floors.explain_weakest(rows, actual, actual, ["sport", "weather", "trade"]) == ""


def test_a_floor_that_is_set_to_the_figure_that_was_shown_is_met() -> None:
    figures = {"accuracy": 181 / 190, "ece": 0.0461042}
    bounds = RULES.floors.model_copy(update={"accuracy": 0.952632, "ece": 0.046104})
    findings = {finding.rule: finding.outcome for finding in floors.check_floors(figures, bounds)}
    assert (findings["accuracy"], findings["ece"]) == ("pass", "pass")


def test_a_figure_is_shown_with_six_decimals() -> None:
    assert floors.check_floors({"accuracy": 0.87654321}, RULES.floors)[0].observed == 0.876543
    assert floors.check_floors({"accuracy": 0.76543219}, RULES.floors)[0].observed == 0.765432
    (finding,), _ = non_inferiority.compare_slices(in_slices(1000, 60), pair(1000, 25, 0), RULES)
    assert finding.observed == -0.416667


@pytest.mark.parametrize(("name", "bound"), list(RULES.floors))
def test_each_floor_is_met_at_its_bound_and_missed_beyond(name: str, bound: float) -> None:
    at_most = name in ("ece", "megabytes", "milliseconds")
    values = {name: bound, "beyond": bound + (0.001 if at_most else -0.001)}
    good, bad = (
        next(finding for finding in floors.check_floors({name: value}, RULES.floors) if finding.rule == name)
        for value in values.values()
    )
    expected = f"at {'most' if at_most else 'least'} {bound:g}"
    assert good == Finding(name, "pass", bound, expected) and bad == Finding(name, "fail", values["beyond"], expected)


def test_a_reviewers_page_says_the_verdict_in_a_line_and_lets_no_text_break_out_of_its_cell() -> None:
    bad = Finding("minimum function", "fail", "0 of 1", "all", "'a | <b>@you': low")
    figures = {"rows": 9, "compared": "news has no champion yet", "ours": {"accuracy": 0.9}}
    verdict = Verdict("reject", "0123456789", "abc", "news", None, [bad], figures)
    assert summarize_verdict(verdict) == "Reject news 012345678 (news has no champion yet): minimum function"
    assert "'a \\| &#60;b&#62;&#64;&#8288;you': low" in render_verdict(verdict) and escape_cell("a\nb") == "a b"
