"""Estimates without labels are right where only the mix of topics changed, which is all that they promise."""

import numpy as np
import pytest

from gazette.core.arrays import Array
from gazette.monitoring import estimates


def calibrated(shares: Array, rows: int, seed: int) -> tuple[Array, Array]:
    """Return probabilities under equal shares of three classes, and classes that were drawn with other shares."""
    draw = np.random.default_rng(seed)
    actual = draw.choice(3, size=rows, p=shares)
    evidence = draw.normal(0, 1, (rows, 3)) + 1.5 * np.eye(3)[actual]
    likelihood = np.exp(1.5 * evidence)
    return likelihood / likelihood.sum(axis=1, keepdims=True), actual


EQUAL, SHIFTED = np.full(3, 1 / 3), np.array([0.7, 0.2, 0.1])


def test_mlls_finds_shares_that_changed_and_the_accuracy_they_imply() -> None:
    p, actual = calibrated(SHIFTED, 20_000, 1)
    shares, accuracy = estimates.mlls(p, EQUAL)
    np.testing.assert_allclose(shares, SHIFTED, atol=0.02)
    assert accuracy == pytest.approx((p.argmax(axis=1) == actual).mean(), abs=0.02)


def test_mlls_of_the_reference_changes_nothing() -> None:
    p, _ = calibrated(EQUAL, 20_000, 2)
    shares, accuracy = estimates.mlls(p, EQUAL)
    np.testing.assert_allclose(shares, EQUAL, atol=0.02)
    assert accuracy == pytest.approx(p.max(axis=1).mean(), abs=0.02)


def test_atc_is_exact_on_the_reference() -> None:
    p, actual = calibrated(EQUAL, 5_000, 3)
    right, confidence = p.argmax(axis=1) == actual, p.max(axis=1)
    assert (confidence >= estimates.atc_cut(confidence, right)).mean() == pytest.approx(right.mean(), abs=0.001)


def test_cbpe_takes_off_what_the_confidence_said_too_much() -> None:
    assert estimates.cbpe(0.8, 0.75, 0.7) == pytest.approx(0.75)
    assert estimates.cbpe(1.0, 0.5, 0.9) == 1.0
