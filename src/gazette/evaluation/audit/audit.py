"""Find labels that are likely wrong; changes none."""

from typing import Any

import polars as pl

from gazette.core.articles import encode_labels
from gazette.core.normalization import normalize_by_tokenizer
from gazette.evaluation.audit import confident_learning, cross_validation


def audit_labels(
    articles: pl.DataFrame, params: dict[str, Any], *, folds: int, seed: int, threads: int, onednn: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the ranked suspects and the error estimate per label; `params` is a section of `models`, family linear.

    The order of `articles` changes nothing. Raises ConfigError if a label has too few texts for the folds.
    """
    ordered = articles.sort("file", "line", "label", "text")
    names = sorted(set(ordered["label"]))
    labels = encode_labels(ordered["label"], names)
    fold = cross_validation.assign_folds(normalize_by_tokenizer(ordered["text"]), ordered["label"].to_list(), folds)
    probabilities = cross_validation.out_of_fold_probabilities(
        ordered["text"].to_list(), labels, fold, params, seed=seed, threads=threads, onednn=onednn
    )
    return (
        confident_learning.rank_suspects(ordered, names, probabilities, labels),
        confident_learning.estimate_errors(names, probabilities, labels),
    )
