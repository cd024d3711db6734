"""Find labels that are likely wrong; changes none."""

from typing import Any

import polars as pl

from gazette.core.articles import encode_labels
from gazette.core.normalization import normalize_by_tokenizer
from gazette.evaluation.audit import confident_learning, cross_validation
from gazette.training.networks import learn


def audit_labels(
    articles: pl.DataFrame, model: dict[str, Any], shared: learn.Params, folds: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the ranked suspects and the error estimate per label; `model` is a section of `models`, family linear.

    The order of `articles` changes nothing. Raises ConfigError if a label has too few texts for the folds.
    """
    ordered = articles.sort("file", "line", "label", "text")
    names = sorted(set(ordered["label"]))
    labels = encode_labels(ordered["label"], names)
    fold = cross_validation.assign_folds(normalize_by_tokenizer(ordered["text"]), ordered["label"].to_list(), folds)
    texts = ordered["text"].to_list()
    probabilities = cross_validation.out_of_fold_probabilities(texts, labels, fold, model, shared)
    return (
        confident_learning.rank_suspects(ordered, names, probabilities, labels),
        confident_learning.estimate_errors(names, probabilities, labels),
    )
