"""How good a classifier is: labels and probabilities in, figures out; pure."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import precision_recall_fscore_support

Numbers = npt.NDArray[Any]


def accuracy(actual: Numbers, predicted: Numbers) -> float:
    """Share of articles whose label is right."""
    return float(np.mean(actual == predicted))


def macro_f1(actual: Numbers, predicted: Numbers, classes: int) -> float:
    """The mean of the classes' F1; every class counts alike. A class without rows and without predictions counts 0."""
    return float(_f1(_confusion(actual, predicted, classes)[None])[0])


def per_class(actual: Numbers, predicted: Numbers, labels: list[str]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and rows of every class."""
    columns = precision_recall_fscore_support(actual, predicted, labels=range(len(labels)), zero_division=0)
    names = ("precision", "recall", "f1", "rows")
    return {
        label: {name: number.item() for name, number in zip(names, row, strict=True)}
        for label, *row in zip(labels, *columns, strict=True)
    }


def confusion(actual: Numbers, predicted: Numbers, labels: list[str]) -> list[dict[str, Any]]:
    """Rows for each pair of an actual and a predicted label, those that never occur too."""
    counts = _confusion(actual, predicted, len(labels))
    return [
        {"actual": a, "predicted": p, "rows": int(counts[i, j])}
        for i, a in enumerate(labels)
        for j, p in enumerate(labels)
    ]


def resample(actual: Numbers, predicted: Numbers, classes: int, resamples: int, seed: int) -> dict[str, Numbers]:
    """Accuracy and macro-F1 on `resamples` bootstrap samples of the articles.

    Both depend on the confusion matrix alone, and drawing articles with replacement draws that matrix from a
    multinomial: the same distribution as resampling rows, at a cost that does not grow with them (B. Efron and
    R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 6).
    """
    counts = _confusion(actual, predicted, classes)
    drawn = np.random.default_rng(seed).multinomial(counts.sum(), counts.ravel() / counts.sum(), size=resamples)
    matrices = drawn.reshape(resamples, classes, classes)
    return {"accuracy": np.trace(matrices, axis1=1, axis2=2) / counts.sum(), "macro_f1": _f1(matrices)}


def interval(samples: Numbers, confidence: float) -> tuple[float, float]:
    """The percentile interval of bootstrap samples."""
    low, high = np.quantile(samples, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def calibration(
    actual: Numbers, probabilities: Numbers, bins: int = 10
) -> tuple[dict[str, float], list[dict[str, float]]]:
    """Expected calibration error and Brier score, and what the first is made of: confidence and accuracy per bin.

    ECE: C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, with bins of equal width. Brier score
    over all classes, between 0 and 2: G. Brier, "Verification of Forecasts Expressed in Terms of Probability", 1950.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == actual
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    curve = [
        {
            "bin": (number + 0.5) / bins,
            "confidence": float(confidence[place == number].mean()),
            "accuracy": float(right[place == number].mean()),
            "rows": int((place == number).sum()),
        }
        for number in np.unique(place)
    ]
    error = sum(abs(part["confidence"] - part["accuracy"]) * part["rows"] for part in curve) / len(actual)
    truth = np.eye(probabilities.shape[1])[actual]
    return {"ece": error, "brier": float(((probabilities - truth) ** 2).sum(axis=1).mean())}, curve


def _confusion(actual: Numbers, predicted: Numbers, classes: int) -> Numbers:
    return np.bincount(actual * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def _f1(matrices: Numbers) -> Numbers:
    """Macro-F1 of each confusion matrix (… × classes × classes); a class with neither rows nor predictions is 0."""
    hits = np.diagonal(matrices, axis1=-2, axis2=-1)
    total = matrices.sum(axis=-1) + matrices.sum(axis=-2)
    f1: Numbers = np.divide(2 * hits, total, out=np.zeros(hits.shape), where=total > 0)
    return np.asarray(f1.mean(axis=-1))
