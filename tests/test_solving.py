"""Linear classifiers on a few sparse rows."""

import numpy as np
import pytest
from scipy import optimize, sparse

from gazette.networks import solving
from gazette.networks.solving import Loss, Problem

DRAW = np.random.default_rng(5)
X = sparse.csr_matrix((DRAW.random((60, 8)) < 0.3).astype(float))
LABELS = np.argmax(X[:, :3].toarray() + 0.4 * DRAW.random((60, 3)), axis=1)
TARGET = np.eye(3)[LABELS]
SHARE = np.full((60, 1), 1 / 60)
LOSSES: list[Loss] = ["softmax", "hinge"]


def solved(loss: Loss, made_of: sparse.csr_matrix, l2: float = 1e-3) -> tuple[np.ndarray, np.ndarray]:
    return solving.solve(Problem(X, made_of, TARGET, SHARE), loss, l2, 500, lambda *_: None)


@pytest.mark.parametrize("loss", [solving._softmax, solving._hinge])
def test_the_slope_of_a_loss_is_its_derivative(loss: object) -> None:
    def value(flat: np.ndarray) -> float:
        return loss(flat.reshape(60, 3), TARGET, SHARE)[0]  # type: ignore[operator]

    scores = DRAW.normal(size=180)
    slope = loss(scores.reshape(60, 3), TARGET, SHARE)[1]  # type: ignore[operator]
    np.testing.assert_allclose(slope.ravel(), optimize.approx_fprime(scores, value), atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_solved_is_right_about_most_rows(loss: Loss) -> None:
    weights, bias = solved(loss, sparse.identity(8, format="csr"))
    assert ((X @ weights + bias).argmax(axis=1) == LABELS).mean() > 0.8


@pytest.mark.parametrize("loss", LOSSES)
def test_features_that_share_a_weight_and_have_none_of_their_own_are_equal(loss: Loss) -> None:
    shared = sparse.csr_matrix(np.vstack([np.eye(7), np.eye(7)[-1:]]))
    weights, _ = solved(loss, shared)
    np.testing.assert_array_equal(weights[6], weights[7])


def test_an_n_gram_of_one_class_says_more_than_one_of_all_and_a_rare_one_more_than_a_frequent_one() -> None:
    per_class = np.array([[9.0, 0], [5, 4], [90, 0], [50, 50]])
    alone, even, frequent, nothing = solving.informativeness(per_class, np.array([100.0, 100]), 1.0)
    assert alone > frequent > even > nothing == 0


def test_letters_are_what_at_least_two_words_share() -> None:
    found = solving.letters(["bank", "banks", "goal"]).toarray()
    assert found.shape == (3, 6)  # <ba ban ank <ban bank <bank
    assert found.tolist() == [[1] * 6, [1] * 6, [0] * 6]


@pytest.mark.parametrize("words", [[], ["bank", "goal"]])
def test_words_that_share_nothing_have_no_letters(words: list[str]) -> None:
    assert solving.letters(words).shape == (len(words), 0)


def test_the_temperature_makes_scores_as_sure_as_they_are_right() -> None:
    labels = np.arange(1000) % 2
    said = np.where(np.arange(1000) % 10 == 0, 1 - labels, labels)  # right nine times in ten
    for size in (0.3, 5.0):
        factor = solving.temperature(size * np.eye(2)[said], labels)
        assert 1 / (1 + np.exp(-factor * size)) == pytest.approx(0.9, abs=0.01)


def test_the_temperature_stays_finite_where_every_row_is_right() -> None:
    factor = solving.temperature(np.eye(2)[[0, 1, 0]], np.array([0, 1, 0]))
    assert 1 / (1 + np.exp(-factor)) == pytest.approx(0.8, abs=0.01)
