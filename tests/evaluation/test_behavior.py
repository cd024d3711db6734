"""Behavioral tests: what a perturbation does to a text, and what a classifier may make of it."""

from pathlib import Path

import numpy as np
import pytest
from gates import RULES
from prefect_dvc.core.errors import ConfigError

from gazette.evaluation.gate import behavior
from gazette.registry.verdict import Finding


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


@pytest.mark.parametrize(
    ("text", "typos"),
    [
        ("the minister said", "the miinster said"),
        ("a fine house", "a fine hosue"),
        ("one two", "one two"),
        ("", ""),
        ("mp3players cost less", "mp3players cost less"),  # a word is of letters alone
        ("alpha bravo  delta a", "alpha bravo  detla a"),  # 20 characters, 3 long words: the one at 20 % 3
        ("alpha " * 24 + "alpha", "alpha " * 5 + "alhpa " + "alpha " * 11 + "alhpa " + "alpha " * 6 + "alpha"),
    ],
)
def test_two_letters_of_a_long_word_are_swapped(text: str, typos: str) -> None:
    assert behavior.perturbations("en", {})["typos"](text) == typos


def test_each_perturbation_changes_what_it_is_about() -> None:
    english = behavior.perturbations("en", {})
    assert sorted(english) == ["agency", "case", "names", "punctuation", "typos", "width"]
    assert english["width"]("!az~ \x7fé") == "！ａｚ～ \x7fé"
    assert english["agency"]("oil fell") == "LONDON (Reuters) - oil fell" and english["case"]("oil") == "OIL"
    assert english["names"]("Mr Blair") == "Mr Blair"
    chinese = behavior.perturbations("zh", {"张三": "李四", "王五": "Bob"})
    assert sorted(chinese) == ["agency", "form", "names", "punctuation", "width"]
    assert chinese["names"]("王五说张三，Bob说李四") == "Bob说李四，王五说张三"
    assert behavior.perturbations("zh", {"王A": "Bob"})["names"]("说王A好") == "说Bob好"
    assert chinese["agency"]("油价") == "新华社北京11月3日电 油价"


def invariance(same: int, changed: int) -> Finding:
    """Of `counting` on as many texts that keep their class in capitals, and as many that change it."""
    texts = [f"In may {n}" for n in range(same)] + [f"in june {n}" for n in range(changed)]
    predicted = counting(texts).argmax(axis=1)
    findings = behavior.check_invariance(texts, predicted, counting, "en", behavior.Cases(), RULES)
    return next(finding for finding in findings if finding.rule == "unchanged by case")


def test_the_share_that_keeps_its_label_passes_from_its_bound() -> None:
    why = "{} of {} articles change their label"
    assert invariance(18, 2) == Finding("unchanged by case", "pass", 0.9, "at least 0.9", why.format(2, 20))
    assert invariance(17, 3) == Finding("unchanged by case", "fail", 0.85, "at least 0.9", why.format(3, 20))
    unsure = why.format(3, 19) + "; fewer than 20 are inconclusive"
    assert invariance(16, 3) == Finding("unchanged by case", "unknown", 0.842105, "at least 0.9", unsure, blocks=False)


def test_the_first_articles_that_change_their_label_are_named_if_the_rule_fails() -> None:
    texts = [f"{'in june' if number % 2 else 'In may'} {number}" for number in range(40)]
    places = [{"file": "all.csv", "line": number} for number in range(40)]
    for failing, rules in ((True, RULES), (False, RULES.model_copy(update={"min_invariance": 0.5}))):
        findings = behavior.check_invariance(
            texts, counting(texts).argmax(axis=1), counting, "en", behavior.Cases(), rules, places
        )
        whys = {finding.rule: finding.why for finding in findings}
        end = "; the first: all.csv, line 1, 3, 5" if failing else ""
        assert whys["unchanged by case"] == f"20 of 40 articles change their label{end}"


def test_a_perturbation_that_changes_no_text_has_no_finding() -> None:
    findings = behavior.check_invariance(["IN MAY"], np.array([1]), counting, "en", behavior.Cases(), RULES)
    assert [finding.rule for finding in findings] == ["unchanged by agency", "unchanged by width"]


def test_cases_that_hold_pass_and_rules_without_cases_are_not_there() -> None:
    minimum = behavior.Minimum(text="Up", label="high")
    gains, loses = (behavior.Direction(text="low", add="HIGH", label=label) for label in ("high", "low"))
    assert behavior.check_cases(behavior.Cases(), ["low", "high"], counting) == []
    (only,) = behavior.check_cases(behavior.Cases(minimum=[minimum]), ["low", "high"], counting)
    assert only == Finding("minimum function", "pass", "1 of 1", "all")
    (only,) = behavior.check_cases(behavior.Cases(direction=[gains]), ["low", "high"], counting)
    assert only == Finding("direction", "pass", "1 of 1", "all")
    (only,) = behavior.check_cases(behavior.Cases(direction=[gains, loses]), ["low", "high"], counting)
    assert (only.outcome, only.observed, only.why) == ("fail", "1 of 2", "low does not gain from 'HIGH'")


def test_a_label_that_the_classifier_does_not_know_gains_from_nothing() -> None:
    cases = behavior.Cases(direction=[behavior.Direction(text="low", add="HIGH", label="art")])
    (only,) = behavior.check_cases(cases, ["low", "high"], counting)
    assert (only.outcome, only.why) == ("fail", "art does not gain from 'HIGH'")


def test_cases_are_read_from_their_file_and_a_misspelled_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.cases.yaml"
    assert behavior.read_cases(path) == behavior.Cases()
    path.write_text("minimum: [{text: a goal, label: sport}]\nnames: {Blair: Howard}\n")
    expected = behavior.Cases(minimum=[behavior.Minimum(text="a goal", label="sport")], names={"Blair": "Howard"})
    assert behavior.read_cases(path) == expected
    for key in ("minimal: []", "minimum: [{text: a, label: b, add: c}]", "direction: [{text: a, label: b}]"):
        path.write_text(key)
        with pytest.raises(ConfigError, match=r"tiny\.cases\.yaml"):
            behavior.read_cases(path)
