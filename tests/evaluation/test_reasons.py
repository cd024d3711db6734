"""The words of a mistake that speak for the predicted label, and for its own."""

from pathlib import Path

import pytest

from gazette.evaluation.report import reasons
from gazette.training.explanation.explain import Explanation, Part


def mistake(text: str, label: str = "trade", predicted: str = "sport") -> dict[str, str]:
    return {"text": text, "label": label, "predicted": predicted}


def test_words_are_ranked_by_what_they_add_to_one_label_against_the_other(bundle: Path) -> None:
    (why,) = reasons.reasons_of([mistake("a goal , a GOAL and a bank")], bundle)
    assert [word for word, _ in why["for_predicted"]] == ["goal"]
    assert [word for word, _ in why["for_label"]] == ["bank"]
    assert all(score > 0 for _, score in why["for_predicted"] + why["for_label"])
    assert not why["is_exact"]


def test_equal_words_are_one_and_marks_are_none() -> None:
    parts = [Part(0, 3, [1.0, -1.0]), Part(3, 4, [9.0, -9.0]), Part(5, 8, [0.5, -0.5]), Part(9, 12, [-2.0, 2.0])]
    why = reasons.rank_words(Explanation(["a", "b"], [0, 0], parts, parts, exact=True), "Sun, sun sea", "b", "a")
    assert (why["for_predicted"], why["for_label"]) == ([("sun", 3.0)], [("sea", 4.0)])


def test_few_mistakes_are_explained_and_none_whose_label_the_bundle_lacks(bundle: Path) -> None:
    rows = [mistake("a goal"), mistake("a goal", label="weather"), *[mistake("a goal")] * 5]
    result = reasons.reasons_of(rows, bundle)
    assert len(result) == reasons.MAX_OCCLUDED and result[1] == {} and result[2]["for_predicted"]


@pytest.mark.parametrize("count", [0, 1])
def test_a_label_has_at_most_a_few_words(count: int) -> None:
    text = " ".join("abcdefghij")
    parts = [Part(2 * n, 2 * n + 1, [n - 5.0 * count, 0.0]) for n in range(10)]
    why = reasons.rank_words(Explanation(["a", "b"], [0, 0], parts, parts, exact=True), text, "b", "a")
    assert [word for word, _ in why["for_predicted"]] == (list("jihgfe") if not count else list("jihg"))
    assert [word for word, _ in why["for_label"]] == (list("abcde") if count else [])
