"""Metrics of a classifier against values computed by hand, by scikit-learn and by simulation."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from gazette.core import metrics

ACTUAL = np.array([0, 0, 0, 0, 1, 1, 1, 2])
PREDICTED = np.array([0, 0, 0, 1, 1, 1, 0, 2])  # F1: 3/4, 2/3, 1

pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


def test_accuracy_is_the_share_of_right_labels() -> None:
    assert metrics.accuracy(ACTUAL, PREDICTED) == 6 / 8


def test_macro_f1_is_the_mean_over_the_classes() -> None:
    assert metrics.macro_f1(ACTUAL, PREDICTED, 3) == pytest.approx((3 / 4 + 2 / 3 + 1) / 3)


def test_a_class_without_rows_is_left_out_of_macro_f1_and_its_interval() -> None:
    actual, predicted = np.array([0, 1, 1]), np.array([0, 1, 3])
    assert metrics.macro_f1(actual, predicted, 4) == pytest.approx((1 + 2 / 3) / 2)
    perfect = metrics.bootstrap(np.array([0, 1] * 50), np.array([0, 1] * 50), 4, 100, 7)
    assert set(perfect["macro_f1"]) == {1.0}


@given(pairs)
def test_macro_f1_is_that_of_scikit_learn(rows: list[tuple[int, int]]) -> None:
    actual, predicted = np.array(rows).T
    expected = f1_score(actual, predicted, average="macro", labels=np.unique(actual), zero_division=0)
    assert metrics.macro_f1(actual, predicted, 4) == pytest.approx(expected)


def test_each_class_has_its_own_figures() -> None:
    figures = metrics.per_class(ACTUAL, PREDICTED, ["a", "b", "c", "d"])
    assert figures["a"] == {"precision": 3 / 4, "recall": 3 / 4, "f1": 3 / 4, "rows": 4}
    assert figures["b"] == {"precision": 2 / 3, "recall": 2 / 3, "f1": pytest.approx(2 / 3), "rows": 3}
    assert figures["d"] == {"precision": 0, "recall": 0, "f1": 0, "rows": 0}
    assert list(figures) == ["a", "b", "c", "d"]


def test_precision_is_of_what_is_predicted_and_recall_of_what_is_actual() -> None:
    figures = metrics.per_class(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), ["a", "b"])
    assert (figures["a"]["precision"], figures["a"]["recall"], figures["a"]["rows"]) == (1, pytest.approx(1 / 3), 3)
    assert (figures["b"]["precision"], figures["b"]["recall"], figures["b"]["rows"]) == (pytest.approx(1 / 3), 1, 1)


def test_the_confusion_has_a_row_for_every_pair_the_actual_label_first() -> None:
    counts = metrics.confusion(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), ["a", "b"])
    assert [tuple(row.values()) for row in counts] == [("a", "a", 1), ("a", "b", 2), ("b", "a", 0), ("b", "b", 1)]


@given(pairs)
def test_every_article_stands_in_the_confusion_once(rows: list[tuple[int, int]]) -> None:
    actual, predicted = np.array(rows).T
    assert sum(row["rows"] for row in metrics.confusion(actual, predicted, list("abcd"))) == len(rows)


# Bootstrap


def simulated(rng: np.random.Generator, rows: int = 200, right: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    actual = rng.integers(0, 3, rows)
    return actual, np.where(rng.random(rows) < right, actual, (actual + 1) % 3)


def test_one_seed_draws_one_set_of_samples() -> None:
    draw = [metrics.bootstrap(ACTUAL, PREDICTED, 3, 200, seed)["macro_f1"] for seed in (7, 7, 8)]
    assert np.array_equal(draw[0], draw[1])
    assert not np.array_equal(draw[0], draw[2])


def test_samples_of_a_flawless_model_are_flawless() -> None:
    samples = metrics.bootstrap(ACTUAL, ACTUAL, 3, 100, 7)
    assert set(samples["accuracy"]) == {1.0}


@pytest.mark.parametrize("figure", ["accuracy", "macro_f1"])
def test_samples_are_distributed_as_if_rows_were_drawn(figure: str) -> None:
    rng = np.random.default_rng(1)
    actual, predicted = simulated(rng)
    score: dict[str, Callable[..., float]] = {
        "accuracy": metrics.accuracy,
        "macro_f1": lambda a, p: metrics.macro_f1(a, p, 3),
    }
    expected = [score[figure](actual[rows], predicted[rows]) for rows in rng.integers(0, 200, (4000, 200))]
    samples = metrics.bootstrap(actual, predicted, 3, 4000, 7)[figure]
    quantiles = [0.025, 0.25, 0.5, 0.75, 0.975]
    assert np.quantile(samples, quantiles) == pytest.approx(np.quantile(expected, quantiles), abs=0.006)
    assert np.std(samples) == pytest.approx(np.std(expected), rel=0.06)


def test_the_95_percent_interval_covers_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(2)
    hits = []
    for seed in range(300):
        samples = metrics.bootstrap(*simulated(rng), 3, 500, seed)
        low, high = metrics.percentile_interval(samples["accuracy"], 0.95)
        hits.append(low <= 0.8 <= high)
    assert 0.90 <= np.mean(hits) <= 0.98


def test_an_interval_holds_its_share_of_the_samples() -> None:
    assert metrics.percentile_interval(np.arange(1001.0), 0.9) == pytest.approx((50, 950))


# Calibration


def test_a_model_that_is_sure_and_right_is_calibrated() -> None:
    figures, curve = metrics.calibration(np.array([0, 1]), np.eye(2))
    assert figures == {"ece": 0, "brier": 0}
    assert curve == [{"bin": 0.95, "confidence": 1.0, "accuracy": 1.0, "rows": 2}]


def test_a_model_that_is_sure_and_half_wrong_is_overconfident() -> None:
    figures, _ = metrics.calibration(np.array([0, 0, 1, 1]), np.eye(2)[[0, 1, 1, 0]])
    assert figures == {"ece": 0.5, "brier": 1.0}


def test_a_confidence_that_comes_true_is_no_error() -> None:
    probabilities = np.tile([0.75, 0.25], (4, 1))
    figures, curve = metrics.calibration(np.array([0, 0, 0, 1]), probabilities)
    assert figures["ece"] == pytest.approx(0)
    assert figures["brier"] == pytest.approx((3 * 2 * 0.25**2 + 2 * 0.75**2) / 4)
    assert curve == [{"bin": 0.75, "confidence": 0.75, "accuracy": 0.75, "rows": 4}]


def test_bins_weigh_by_their_rows() -> None:
    probabilities = np.array([[0.55, 0.45]] * 3 + [[0.95, 0.05]])
    figures, curve = metrics.calibration(np.array([0, 0, 0, 1]), probabilities)
    assert [part["rows"] for part in curve] == [3, 1]
    assert figures["ece"] == pytest.approx((3 * 0.45 + 0.95) / 4)
