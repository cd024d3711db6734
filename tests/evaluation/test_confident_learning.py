"""Which labels are likely wrong, and how many."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.evaluation.audit import confident_learning

NAMES = ["art", "sport", "trade"]


@st.composite
def believed(draw: st.DrawFn) -> tuple[Any, Any]:
    """Probabilities that differ everywhere, and labels of which every class has some."""
    classes, rows = draw(st.integers(2, 4)), draw(st.integers(4, 40))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    labels = np.concatenate([np.arange(classes), random.integers(0, classes, rows - classes)])
    logits = random.normal(size=(rows, classes)) + 3 * np.eye(classes)[random.permutation(labels)]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), labels


def clear(true: Any, certainty: float = 0.9) -> Any:
    """The probabilities of a model that knows."""
    return np.where(np.eye(len(NAMES))[true] == 1, certainty, (1 - certainty) / (len(NAMES) - 1))


def articles(labels: Any, texts: list[str] | None = None) -> pl.DataFrame:
    rows = len(labels)
    return pl.DataFrame(
        {
            "text": texts or [f"text {number}" for number in range(rows)],
            "label": [NAMES[number] for number in labels],
            "file": "all.csv",
            "line": range(2, rows + 2),
        }
    )


# The joint


def test_the_confident_joint_of_a_case_worked_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.4, 0.6], [0.1, 0.9], [0.8, 0.2], [0.45, 0.55]])
    labels = np.array([0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(confident_learning.thresholds(probabilities, labels), [0.6, 0.5625])
    # The last row reaches neither threshold.
    assert confident_learning.confident_joint(probabilities, labels).tolist() == [[2, 1], [1, 2]]
    np.testing.assert_allclose(confident_learning.joint(probabilities, labels), [[2, 1], [4 / 3, 8 / 3]])


def test_of_two_classes_above_their_thresholds_the_more_probable_counts() -> None:
    probabilities = np.array([[0.55, 0.45], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])
    labels = np.array([0, 0, 1, 1])
    np.testing.assert_allclose(confident_learning.thresholds(probabilities, labels), [0.375, 0.35])
    assert confident_learning.confident_joint(probabilities, labels).tolist() == [[1, 1], [2, 0]]


def test_a_label_of_which_no_row_is_believed_is_not_all_wrong() -> None:
    probabilities, labels = np.array([[0.55, 0.45], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]]), np.array([0, 0, 1, 1])
    assert confident_learning.confident_joint(probabilities, labels)[1].tolist() == [2, 0]
    np.testing.assert_allclose(confident_learning.joint(probabilities, labels)[1], [4 / 3, 2 / 3])


@given(believed())
def test_every_label_keeps_its_rows_in_the_joint(case: tuple[Any, Any]) -> None:
    probabilities, labels = case
    np.testing.assert_allclose(confident_learning.joint(probabilities, labels).sum(axis=1), np.bincount(labels))


@given(believed(), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_that_of_classes_matters(case: tuple[Any, Any], random: Any) -> None:
    probabilities, labels = case
    rows, classes = (random.sample(range(size), size) for size in probabilities.shape)
    moved, named = probabilities[rows][:, classes], np.argsort(classes)[labels[rows]]
    expected = confident_learning.joint(probabilities, labels)[np.ix_(classes, classes)]
    np.testing.assert_allclose(confident_learning.joint(moved, named), expected)
    suspects = [rows[row] for row in confident_learning.find_suspects(moved, named)]
    assert suspects == confident_learning.find_suspects(probabilities, labels).tolist()


def test_a_model_that_knows_nothing_suspects_nobody() -> None:
    labels = np.arange(30) % 3
    assert confident_learning.find_suspects(np.full((30, 3), 1 / 3), labels).size == 0


# The suspects


def test_the_flipped_labels_are_found_and_counted() -> None:
    true = np.arange(90) % 3
    labels = true.copy()
    labels[[3, 30, 31]] = [1, 1, 2]
    assert sorted(confident_learning.find_suspects(clear(true), labels)) == [3, 30, 31]
    table = confident_learning.estimate_errors(NAMES, clear(true), labels)
    assert table.rows() == [("art", 28, 0, None), ("sport", 31, 2, "art"), ("trade", 31, 1, "sport")]


def test_the_class_of_a_single_error_is_never_its_own_label() -> None:
    true = np.arange(30) % 3
    labels = true.copy()
    labels[4] = 0
    table = confident_learning.estimate_errors(NAMES, clear(true), labels)
    assert table.rows() == [("art", 11, 1, "sport"), ("sport", 9, 0, None), ("trade", 10, 0, None)]


@given(believed())
def test_no_label_has_more_suspects_than_are_estimated_and_none_is_the_most_probable(case: tuple[Any, Any]) -> None:
    probabilities, labels = case
    suspects = confident_learning.find_suspects(probabilities, labels)
    names = [str(number) for number in range(probabilities.shape[1])]
    estimates = confident_learning.estimate_errors(names, probabilities, labels)["estimated_errors"].to_numpy()
    assert (np.bincount(labels[suspects], minlength=len(names)) <= estimates).all()
    assert (probabilities.argmax(axis=1)[suspects] != labels[suspects]).all()
    assert (np.diff(probabilities[suspects, labels[suspects]]) >= 0).all()


# The list


def test_the_list_says_where_what_and_how_sure_and_leaves_the_answer_open() -> None:
    true = np.arange(30) % 3
    labels = true.copy()
    labels[4] = 2
    table = confident_learning.rank_suspects(articles(labels), NAMES, clear(true), labels)
    assert table.rows(named=True) == [
        {
            "file": "all.csv",
            "line": 6,
            "label": "trade",
            "likely": "sport",
            "p_label": pytest.approx(0.05),
            "p_likely": pytest.approx(0.9),
            "rank": 1,
            "correct_label": None,
            "text": "text 4",
        }
    ]


def test_a_text_is_shown_on_one_line_and_cut_where_a_label_can_be_judged() -> None:
    labels = np.array([0, 1, 2] * 9 + [1])
    true = np.array([0, 1, 2] * 9 + [0])
    texts = ["text"] * 27 + [" A title\n\n\tand a body " + "x" * 5000]
    table = confident_learning.rank_suspects(articles(labels, texts), NAMES, clear(true), labels)
    assert table["text"][0] == ("A title and a body " + "x" * 5000)[:1000]


def test_the_list_of_a_clean_corpus_is_empty_with_all_its_columns() -> None:
    labels = np.arange(30) % 3
    table = confident_learning.rank_suspects(articles(labels), NAMES, clear(labels), labels)
    assert table.is_empty()
    expected = ["file", "line", "label", "likely", "p_label", "p_likely", "rank", "correct_label", "text"]
    assert table.columns == expected
    assert table.schema["likely"] == pl.String
