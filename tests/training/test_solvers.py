"""Linear classifiers on a few sparse rows."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.svm import LinearSVC

from gazette.training.networks import solvers

DRAW = np.random.default_rng(5)
X = sparse.csr_matrix((DRAW.random((60, 8)) < 0.3).astype(float))
LABELS = np.argmax(X[:, :3].toarray() + 0.4 * DRAW.random((60, 3)), axis=1)
ROW_WEIGHTS = np.ones(60)


def test_each_class_is_separated_from_the_rest_as_by_a_linear_svm() -> None:
    weights, bias, _ = solvers.solve_svm(X, np.eye(3)[LABELS], ROW_WEIGHTS, 1.0, 7)
    whole = LinearSVC(tol=1e-6, random_state=7).fit(X, LABELS)
    np.testing.assert_allclose(X @ weights + bias, whole.decision_function(X), atol=0.02)


def test_a_row_with_soft_labels_counts_as_weighted_rows_of_each_class() -> None:
    half = np.where(np.arange(60)[:, None] < 30, np.eye(3)[LABELS], 1 / 3)
    parts = [*range(30), *np.repeat(range(30, 60), 3)]
    sides = np.vstack([np.eye(3)[LABELS[:30]], np.tile(np.eye(3), (30, 1))])
    counts = np.repeat([1.0, 1 / 3], [30, 90])
    doubtful = solvers.solve_svm(X, half, ROW_WEIGHTS, 1.0, 7)
    spelled = solvers.solve_svm(X[parts], sides, counts, 1.0, 7)
    np.testing.assert_allclose(X @ doubtful[0] + doubtful[1], X @ spelled[0] + spelled[1], atol=0.02)


def test_a_rows_weight_is_how_often_it_counts() -> None:
    target, twice = np.eye(3)[LABELS], np.where(np.arange(60) < 20, 2.0, 1.0)
    heavy = solvers.solve_svm(X, target, twice, 1.0, 7)
    again = [*range(60), *range(20)]
    repeated = solvers.solve_svm(X[again], target[again], np.ones(80), 1.0, 7)
    np.testing.assert_allclose(X @ heavy[0] + heavy[1], X @ repeated[0] + repeated[1], atol=0.02)


def test_two_parts_are_solved_apart_and_their_scores_added() -> None:
    first, second = X.multiply(np.arange(8) < 4).tocsr(), X.multiply(np.arange(8) >= 4).tocsr()
    target = np.eye(3)[LABELS]
    weights, bias, _ = solvers.solve_parts([first, second], target, ROW_WEIGHTS, 1.0, 7)
    alone = [
        solvers.solve_svm(part, target, ROW_WEIGHTS, len(LABELS) / part.power(2).sum(), 7) for part in (first, second)
    ]
    expected = sum(part @ solution[0] + solution[1] for part, solution in zip((first, second), alone, strict=True))
    np.testing.assert_allclose(X @ weights + bias, expected)


def test_a_low_cost_shrinks_the_weights() -> None:
    shrunk, free = (
        np.abs(solvers.solve_svm(X, np.eye(3)[LABELS], ROW_WEIGHTS, cost, 7)[0]).max() for cost in (0.01, 10.0)
    )
    assert shrunk < 0.5 < 1 < free


def test_a_row_of_counts_of_one_is_normalized_to_length_one() -> None:
    column_weights = DRAW.random(8) + 0.1
    normalized = solvers.l2_normalize(X, column_weights)
    lengths = np.sqrt(normalized.multiply(normalized).sum(axis=1)).A1
    np.testing.assert_allclose(lengths[X.getnnz(axis=1) > 0], 1)
    assert np.isfinite(lengths).all()


def test_an_n_gram_of_one_class_weighs_more_than_one_of_all_and_a_rare_one_more_than_a_common_one() -> None:
    per_class = np.array([[9.0, 0], [5, 4], [90, 0], [50, 50]])
    alone, even, frequent, nothing = solvers.term_weights(per_class, np.array([100.0, 100]), 1.0)
    assert alone > frequent > even > nothing == 0


def test_the_temperature_calibrates_scores() -> None:
    labels = np.arange(1000) % 2
    predicted = np.where(np.arange(1000) % 10 == 0, 1 - labels, labels)  # 90% accuracy
    for size in (0.3, 5.0):
        factor = solvers.fit_temperature(size * np.eye(2)[predicted], labels)
        assert 1 / (1 + np.exp(-factor * size)) == pytest.approx(0.9, abs=0.01)


def test_the_temperature_stays_finite_if_every_row_is_correct() -> None:
    factor = solvers.fit_temperature(np.eye(2)[[0, 1, 0]], np.array([0, 1, 0]))
    assert 1 / (1 + np.exp(-factor)) == pytest.approx(0.8, abs=0.01)
