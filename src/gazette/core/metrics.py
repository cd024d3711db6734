"""Metrics of a classifier from labels and probabilities; pure functions."""

from typing import Any

import numpy as np

from gazette.core.arrays import Array


def accuracy(actual: Array, predicted: Array) -> float:
    """Return the share of correct predictions."""
    return float(np.mean(actual == predicted))


def macro_f1(actual: Array, predicted: Array, classes: int) -> float:
    """Return the unweighted mean of the classes' F1, over the classes that have rows."""
    counts = _confusion(actual, predicted, classes)
    return float(_f1(counts[None], _present(counts))[0])


def per_class(actual: Array, predicted: Array, labels: list[str]) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and the number of rows of every class."""
    counts = _confusion(actual, predicted, len(labels))
    hits, rows, predictions = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    precision, recall, f1 = _ratio(hits, predictions), _ratio(hits, rows), _ratio(2 * hits, rows + predictions)
    columns = {"precision": precision, "recall": recall, "f1": f1, "rows": rows}
    return {label: {name: column[i].item() for name, column in columns.items()} for i, label in enumerate(labels)}


def confusion(actual: Array, predicted: Array, labels: list[str]) -> list[dict[str, Any]]:
    """Count the rows of each pair of an actual and a predicted label, zero counts included."""
    counts = _confusion(actual, predicted, len(labels))
    return [
        {"actual": a, "predicted": p, "rows": int(counts[i, j])}
        for i, a in enumerate(labels)
        for j, p in enumerate(labels)
    ]


def bootstrap(actual: Array, predicted: Array, classes: int, resamples: int, seed: int) -> dict[str, Array]:
    """Return accuracy and macro-F1 on `resamples` bootstrap samples of the articles.

    Both depend only on the confusion matrix, and resampling articles with replacement samples that matrix from a
    multinomial: the same distribution at a cost that does not grow with the number of rows (B. Efron and R. Tibshirani,
    "An Introduction to the Bootstrap", 1993, chapter 6).
    """
    counts = _confusion(actual, predicted, classes)
    samples = np.random.default_rng(seed).multinomial(counts.sum(), counts.ravel() / counts.sum(), size=resamples)
    matrices = samples.reshape(resamples, classes, classes)
    return {
        "accuracy": np.trace(matrices, axis1=1, axis2=2) / counts.sum(),
        "macro_f1": _f1(matrices, _present(counts)),
    }


def percentile_interval(samples: Array, confidence: float) -> tuple[float, float]:
    """Return the percentile interval of bootstrap samples."""
    low, high = np.quantile(samples, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def calibration(actual: Array, probabilities: Array, bins: int = 10) -> tuple[dict[str, float], list[dict[str, float]]]:
    """Return expected calibration error and Brier score, and the reliability curve: confidence and accuracy per bin.

    ECE: C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, with bins of equal width. Brier score
    over all classes, between 0 and 2: G. Brier, "Verification of Forecasts Expressed in Terms of Probability", 1950.
    scikit-learn's would compute it in float32 here, and differ in the sixth decimal.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == actual
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    curve = [
        {
            "bin": (number + 0.5) / bins,
            "confidence": float(confidence[bin_of == number].mean()),
            "accuracy": float(correct[bin_of == number].mean()),
            "rows": int((bin_of == number).sum()),
        }
        for number in np.unique(bin_of)
    ]
    error = sum(abs(part["confidence"] - part["accuracy"]) * part["rows"] for part in curve) / len(actual)
    truth = np.eye(probabilities.shape[1])[actual]
    return {"ece": error, "brier": float(((probabilities - truth) ** 2).sum(axis=1).mean())}, curve


def _confusion(actual: Array, predicted: Array, classes: int) -> Array:
    return np.bincount(actual * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def _present(counts: Array) -> Array:
    return np.flatnonzero(counts.sum(axis=1))


def _f1(matrices: Array, present: Array) -> Array:
    """Return the macro-F1 of each confusion matrix (… × classes × classes), over the classes that are `present`.

    One of them counts as 0 in a sample that has no row of it and no prediction.
    """
    hits = np.diagonal(matrices, axis1=-2, axis2=-1)
    total = matrices.sum(axis=-1) + matrices.sum(axis=-2)
    return np.asarray(_ratio(2 * hits, total).take(present, axis=-1).mean(axis=-1))


def _ratio(part: Array, whole: Array) -> Array:
    """Divide; 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
