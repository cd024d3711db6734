"""Looks for labels that are likely wrong; changes none."""

from typing import Any

import polars as pl

from gazette.core.normalization import normalise
from gazette.evaluation.audit import confident_learning, cross_validation


def audit(
    articles: pl.DataFrame, numbers: dict[str, Any], *, folds: int, seed: int, threads: int, onednn: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The suspects, ranked, and the estimate per label; `numbers` are a section of `models` with the linear family.

    The order of `articles` changes nothing. Raises Misconfigured where a label has too few texts for the folds.
    """
    ordered = articles.sort("file", "line", "label", "text")
    names = sorted(set(ordered["label"]))
    labels = ordered["label"].replace_strict(names, range(len(names)), return_dtype=pl.Int64).to_numpy()
    fold = cross_validation.folds(normalise(ordered["text"]), ordered["label"].to_list(), folds)
    probabilities = cross_validation.probabilities(
        ordered["text"].to_list(), labels, fold, numbers, seed=seed, threads=threads, onednn=onednn
    )
    return (
        confident_learning.ranked(ordered, names, probabilities, labels),
        confident_learning.estimated(names, probabilities, labels),
    )
