"""Labels that are likely wrong, by confident learning; pure.

C. Northcutt, L. Jiang and I. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70 (2021);
equations and sections are numbered as there. `probabilities` are out-of-fold, rows × classes; `labels` are the noisy
labels, numbered from 0, and every class has rows.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from gazette.core.arrays import Array

EXCERPT = 1000  # characters of a text, enough to judge its label


def thresholds(probabilities: Array, labels: Array) -> Array:
    """Return the threshold of each class: the mean self-confidence of the rows with its label (equation 2)."""
    rows = np.bincount(labels, minlength=probabilities.shape[1])
    return np.asarray(np.bincount(labels, _self_confidence(probabilities, labels), probabilities.shape[1]) / rows)


def confident_joint(probabilities: Array, labels: Array) -> Array:
    """Count the rows of each label that confidently belong to each class, noisy × true label (equation 1).

    If several classes reach their thresholds, the most probable one counts; a row with none counts nowhere.
    """
    classes = probabilities.shape[1]
    needed = thresholds(probabilities, labels) - 1e-9  # the mean of equal numbers may exceed them by a rounding error
    reached = np.where(probabilities >= needed, probabilities, -1)
    confident = reached.max(axis=1) >= 0
    pairs = labels[confident] * classes + reached.argmax(axis=1)[confident]
    return np.asarray(np.bincount(pairs, minlength=classes * classes).reshape(classes, classes))


def joint(probabilities: Array, labels: Array) -> Array:
    """Return the confident joint, calibrated so that each label has all its rows (equation 3, times the rows)."""
    counts = confident_joint(probabilities, labels)
    np.fill_diagonal(counts, counts.diagonal().clip(min=1))  # a label without confident rows is not entirely wrong
    rows = np.bincount(labels, minlength=len(counts))
    return np.asarray(counts / counts.sum(axis=1, keepdims=True) * rows[:, None])


def find_suspects(probabilities: Array, labels: Array) -> Array:
    """Return the rows whose label is likely wrong, by increasing probability of their label.

    Of each label as many as `joint` has off the diagonal, the least probable ones ("prune by class", section 3.2), but
    none whose label is the most probable class.
    """
    confidence = _self_confidence(probabilities, labels)
    order = np.argsort(confidence, kind="stable")
    errors = _count_errors(joint(probabilities, labels))
    lowest = np.concatenate([order[labels[order] == label][:count] for label, count in enumerate(errors)])
    return np.asarray(order[np.isin(order, lowest) & (confidence < probabilities.max(axis=1))[order]])


def rank_suspects(articles: pl.DataFrame, names: Sequence[str], probabilities: Array, labels: Array) -> pl.DataFrame:
    """Return the suspects as rows for a person, who writes the correct label into `correct_label`."""
    rows = find_suspects(probabilities, labels)
    likely = probabilities[rows].argmax(axis=1)  # never the label: of a suspect, that is not the most probable
    return articles[rows].select(
        "file",
        "line",
        "label",
        likely=pl.Series([names[number] for number in likely], dtype=pl.String),
        p_label=pl.Series(probabilities[rows, labels[rows]], dtype=pl.Float64),
        p_likely=pl.Series(probabilities[rows, likely], dtype=pl.Float64),
        rank=pl.int_range(1, pl.len() + 1),
        correct_label=pl.lit(None, pl.String),
        text=pl.col("text").str.replace_all(r"\s+", " ").str.strip_chars().str.slice(0, EXCERPT),
    )


def estimate_errors(names: Sequence[str], probabilities: Array, labels: Array) -> pl.DataFrame:
    """Return for each label its rows, the estimated number of errors, and the most frequent true class of those.

    Overlapping classes raise the estimate: an article that could belong to either is counted too.
    """
    counts = joint(probabilities, labels)
    errors = _count_errors(counts)
    np.fill_diagonal(counts, -1)
    likely = [names[number] if count else None for number, count in zip(counts.argmax(axis=1), errors, strict=True)]
    rows = np.bincount(labels, minlength=len(names))
    return pl.DataFrame({"label": names, "rows": rows, "estimated_errors": errors, "mostly": likely})


def _self_confidence(probabilities: Array, labels: Array) -> Array:
    return np.asarray(probabilities[np.arange(len(labels)), labels])


def _count_errors(counts: Array) -> Array:
    return np.asarray(np.rint(counts.sum(axis=1) - counts.diagonal()).astype(int))
