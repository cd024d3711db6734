"""Out-of-fold class probabilities of every article, by cross-validation of the linear family."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from prefect_dvc.core.errors import ConfigError, parse

from gazette.core.arrays import Array
from gazette.training.networks import learn, runtime


def assign_folds(keys: Sequence[str], labels: Sequence[str], count: int) -> Array:
    """Return the fold of each row, from 0; each class is spread evenly, in the order of a hash of its texts.

    Rows with equal keys share a fold, whatever their labels, so that no copy of an article leaks into its own fold.
    Raises ConfigError if a class has fewer distinct texts than there are folds.
    """
    rows = pl.DataFrame({"key": keys, "label": labels}, schema={"key": pl.String, "label": pl.String})
    texts = rows.group_by("key").agg(pl.col("label").min())
    counts = dict(texts.group_by("label").len().iter_rows())
    if few := [
        f"{label!r} has {counts.get(label, 0)}" for label in sorted(set(labels)) if counts.get(label, 0) < count
    ]:
        raise ConfigError(
            f"{count} folds need {count} different texts of each class, but {', '.join(few)} (a text under two labels "
            "counts once). Use fewer folds, or add articles."
        )
    hashed = texts.with_columns(hash=pl.col("key").map_elements(_hash, return_dtype=pl.String)).sort("hash")
    folds = hashed.with_columns(fold=pl.int_range(pl.len()).over("label") % count)
    return rows.join(folds, on="key", how="left", maintain_order="left")["fold"].to_numpy()


def out_of_fold_probabilities(
    texts: Sequence[str], labels: Array, fold: Array, model: dict[str, Any], shared: learn.Params
) -> Array:
    """Return rows × classes; a row's probabilities come from a network and a tokenizer trained on the other folds.

    They are trained as `train` does. `labels` are numbers from 0, `model` a section of `models` in params.yaml whose
    family is linear.
    """
    runtime.configure_tensorflow(shared.seed, shared.threads, shared.onednn)
    from gazette.training.networks.families import linear  # imports TensorFlow, which assign_folds does without

    where = "params.yaml, section of models"
    parse(linear.Params, model, where)
    probabilities = np.empty((len(texts), int(labels.max()) + 1))
    for number in range(int(fold.max()) + 1):
        inside, outside = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        calibrates = np.arange(len(outside)) % 10 == 0  # a tenth replaces the validation split
        train, valid = (
            learn.Split([texts[row] for row in rows.tolist()], labels[rows], probabilities.shape[1])
            for rows in (outside[~calibrates], outside[calibrates])
        )
        learned = learn.train_candidate(model, where, train, valid, shared.seed)
        probabilities[inside] = learn.predict_proba(learned, [texts[row] for row in inside.tolist()])
    return probabilities


def _hash(key: str) -> str:
    return hashlib.blake2b(key.encode()).hexdigest()
