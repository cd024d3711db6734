"""Accuracy without labels: what it would be if only the mix of topics had changed; pure.

None of these sees that what a word means has changed: then no estimate without labels can be right (S. Garg et al.,
"Leveraging Unlabeled Data to Predict Out-of-Distribution Performance", ICLR 2022).
"""

import numpy as np

from gazette.core.arrays import Array

_ITERATIONS, _TOLERANCE = 1000, 1e-6


def cbpe(confidence: float, reference_confidence: float, reference_accuracy: float) -> float:
    """Return the mean confidence, less what it said too much on the reference (confidence-based estimation)."""
    return float(np.clip(confidence - reference_confidence + reference_accuracy, 0, 1))


def atc_cut(confidences: Array, right: Array) -> float:
    """Return the confidence that as many reference rows reach as are right (average thresholded confidence).

    S. Garg et al., ICLR 2022. The accuracy of a window is the share of its rows that reach it.
    """
    return float(np.quantile(confidences, 1 - np.mean(right), method="higher"))


def mlls(probabilities: Array, reference_shares: Array) -> tuple[Array, float]:
    """Return the shares of classes under which a window's probabilities are most likely, and the accuracy they imply.

    Expectation maximization: M. Saerens et al., "Adjusting the Outputs of a Classifier to New a Priori Probabilities",
    Neural Computation 2002. Only the shares of classes may have changed, and the probabilities must be calibrated.
    """
    reference = np.maximum(reference_shares, 1e-6)
    shares, predicted = reference / reference.sum(), probabilities.argmax(axis=1)
    for _ in range(_ITERATIONS):
        weighted = probabilities * (shares / reference)
        weighted /= np.maximum(weighted.sum(axis=1, keepdims=True), 1e-12)
        before, shares = shares, weighted.mean(axis=0)
        if np.abs(shares - before).max() < _TOLERANCE:
            break
    return shares, float(weighted[np.arange(len(predicted)), predicted].mean())
