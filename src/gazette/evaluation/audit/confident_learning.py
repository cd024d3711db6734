"""Labels that are likely wrong, by confident learning; pure.

C. Northcutt, L. Jiang and I. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70 (2021);
equations and sections are numbered as there. `probabilities` are rows × classes, from a model that did not see the
row; `labels` are the given ones, numbered from 0, and every class has rows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[Any]
SHOWN = 1000  # characters of a text, enough to judge its label by


def thresholds(probabilities: Numbers, labels: Numbers) -> Numbers:
    """The probability from which a class is believed: the mean over the rows labelled so (equation 2)."""
    rows = np.bincount(labels, minlength=probabilities.shape[1])
    return np.asarray(np.bincount(labels, _own(probabilities, labels), probabilities.shape[1]) / rows)


def confident_joint(probabilities: Numbers, labels: Numbers) -> Numbers:
    """How many rows of each label are believed to be of each class, given × likely (equation 1).

    Of several classes above their thresholds the most probable counts; a row with none counts nowhere.
    """
    classes = probabilities.shape[1]
    needed = thresholds(probabilities, labels) - 1e-9  # the mean of equal numbers may come out a little above them
    believed = np.where(probabilities >= needed, probabilities, -1)
    confident = believed.max(axis=1) >= 0
    pairs = labels[confident] * classes + believed.argmax(axis=1)[confident]
    return np.asarray(np.bincount(pairs, minlength=classes * classes).reshape(classes, classes))


def joint(probabilities: Numbers, labels: Numbers) -> Numbers:
    """The same, scaled so that each label has all its rows (equation 3, times the number of rows)."""
    counts = confident_joint(probabilities, labels)
    np.fill_diagonal(counts, counts.diagonal().clip(min=1))  # a label of which no row is believed is not all wrong
    rows = np.bincount(labels, minlength=len(counts))
    return np.asarray(counts / counts.sum(axis=1, keepdims=True) * rows[:, None])


def suspects(probabilities: Numbers, labels: Numbers) -> Numbers:
    """Rows whose label is likely wrong, the likeliest first: by the probability of their label.

    Of each label as many as `joint` puts off the diagonal, the least probable ones ("prune by class", section 3.2), but
    none whose label is the most probable of all.
    """
    own = _own(probabilities, labels)
    order = np.argsort(own, kind="stable")
    wrong = _errors(joint(probabilities, labels))
    least = np.concatenate([order[labels[order] == label][:count] for label, count in enumerate(wrong)])
    return np.asarray(order[np.isin(order, least) & (own < probabilities.max(axis=1))[order]])


def ranked(articles: pl.DataFrame, names: Sequence[str], probabilities: Numbers, labels: Numbers) -> pl.DataFrame:
    """The suspects as rows for a person to judge, who writes the right label into `correct_label`."""
    rows = suspects(probabilities, labels)
    others = probabilities[rows].copy()
    others[np.arange(len(rows)), labels[rows]] = -1
    likely = others.argmax(axis=1)
    return articles[rows].select(
        "file",
        "line",
        "label",
        likely=pl.Series([names[number] for number in likely], dtype=pl.String),
        p_label=pl.Series(probabilities[rows, labels[rows]], dtype=pl.Float64),
        p_likely=pl.Series(probabilities[rows, likely], dtype=pl.Float64),
        rank=pl.int_range(1, pl.len() + 1),
        correct_label=pl.lit(None, pl.String),
        text=pl.col("text").str.replace_all(r"\s+", " ").str.strip_chars().str.slice(0, SHOWN),
    )


def estimated(names: Sequence[str], probabilities: Numbers, labels: Numbers) -> pl.DataFrame:
    """Per label its rows, how many are estimated to be wrong, and the class that most of those are likely of.

    Classes that overlap raise the estimate: an article that could be of either is counted as well.
    """
    counts = joint(probabilities, labels)
    wrong = _errors(counts)
    np.fill_diagonal(counts, -1)
    return pl.DataFrame(
        {
            "label": names,
            "rows": np.bincount(labels, minlength=len(names)),
            "estimated_errors": wrong,
            "mostly": [
                names[other] if count else None for other, count in zip(counts.argmax(axis=1), wrong, strict=True)
            ],
        }
    )


def _own(probabilities: Numbers, labels: Numbers) -> Numbers:
    return np.asarray(probabilities[np.arange(len(labels)), labels])


def _errors(counts: Numbers) -> Numbers:
    return np.asarray(np.rint(counts.sum(axis=1) - counts.diagonal()).astype(int))
