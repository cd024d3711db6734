"""Class probabilities of every article from a network that never saw it: the linear family, cross-validated."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gazette.core.errors import Misconfigured, parse
from gazette.training.networks import learn, runtime

Numbers = npt.NDArray[Any]


def folds(keys: Sequence[str], labels: Sequence[str], count: int) -> Numbers:
    """The fold of each row, from 0; each class is dealt out to the folds evenly, in the order of a hash of its texts.

    Rows with equal keys share a fold, whatever their labels, so that no article vouches for its copies. Raises
    Misconfigured where a class has fewer different texts than there are folds.
    """
    rows = pl.DataFrame({"key": keys, "label": labels}, schema={"key": pl.String, "label": pl.String})
    texts = rows.group_by("key").agg(pl.col("label").min())
    counts = dict(texts.group_by("label").len().iter_rows())
    if few := [
        f"{label!r} has {counts.get(label, 0)}" for label in sorted(set(labels)) if counts.get(label, 0) < count
    ]:
        raise Misconfigured(
            f"{count} folds need {count} different texts of each class, but {', '.join(few)} (a text under two labels "
            "counts once). Ask for fewer folds, or add articles."
        )
    dealt = texts.with_columns(hash=pl.col("key").map_elements(_hash, return_dtype=pl.String)).sort("hash")
    dealt = dealt.with_columns(fold=pl.int_range(pl.len()).over("label") % count)
    return rows.join(dealt, on="key", how="left", maintain_order="left")["fold"].to_numpy()


def probabilities(
    texts: Sequence[str],
    labels: Numbers,
    fold: Numbers,
    numbers: dict[str, Any],
    *,
    seed: int,
    threads: int,
    onednn: bool,
) -> Numbers:
    """Rows × classes; a row's come from a network and a tokenizer learned on the other folds as `train` would.

    `labels` are numbers from 0, `numbers` a section of `models` in params.yaml whose family is linear.
    """
    runtime.start(seed, threads, onednn)
    from gazette.training.networks.families import linear  # ten seconds, which `folds` need not wait for

    where = "params.yaml, section of models"
    parse(linear.Params, numbers, where)
    found = np.empty((len(texts), int(labels.max()) + 1))
    for number in range(int(fold.max()) + 1):
        seen, held_out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        tenth = np.arange(len(seen)) % 10 == 0  # in place of valid rows, which calibrate
        train, valid = (
            learn.Split([texts[row] for row in rows.tolist()], labels[rows]) for rows in (seen[~tenth], seen[tenth])
        )
        learned = learn.learn(numbers, where, train, valid, found.shape[1], seed)
        found[held_out] = learn.answers(learned, [texts[row] for row in held_out.tolist()])
    return found


def _hash(key: str) -> str:
    return hashlib.blake2b(key.encode()).hexdigest()
