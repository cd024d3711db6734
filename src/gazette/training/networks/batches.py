"""Encoded articles, padded and in batches of similar length."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Rows:
    """Encoded articles: the token ids of each, cut to the maximum length, and the number of its label.

    `soft_labels` (float32, rows × classes) are probabilities to learn instead of the labels, such as a teacher's.
    `pieces` are the token ids of the second view, for a network that has an input for it.
    """

    ids: list[np.ndarray]
    labels: np.ndarray
    soft_labels: np.ndarray | None = None
    pieces: list[np.ndarray] | None = None

    def inputs(self, size: int) -> Iterator[np.ndarray | list[np.ndarray]]:
        """Yield the inputs of a network for `size` rows at a time, in order."""
        for rows in (slice(start, start + size) for start in range(0, len(self.ids), size)):
            yield pad(self.ids[rows]) if self.pieces is None else [pad(self.ids[rows]), pad(self.pieces[rows])]

    def views(self) -> list["Rows"]:
        """Return the rows with one view each; the other is empty."""
        if self.pieces is None:
            return [self]
        nothing = [ids[:0] for ids in self.ids]
        return [replace(self, pieces=nothing), replace(self, ids=nothing)]

    def to_targets(self, classes: int, weights: np.ndarray | None = None, smoothing: float = 0.0) -> np.ndarray:
        """Return what a network is fitted to, per row: its label, its weight in the loss, a probability per class.

        `weights` are those of the classes; `smoothing` is the share of the probability that is spread over all classes.
        """
        targets = np.eye(classes)[self.labels] if self.soft_labels is None else self.soft_labels
        targets = (1 - smoothing) * targets + smoothing / classes
        row_weights = np.ones(len(self.labels)) if weights is None else weights[self.labels]
        return np.column_stack([self.labels, row_weights, targets]).astype(np.float32)


def pad(ids: list[np.ndarray], multiple: int = 8) -> np.ndarray:
    """Return token ids as one int32 array, zero-padded to the maximum length, rounded up so that few shapes occur."""
    longest = max(max(len(text) for text in ids), 1)
    array = np.zeros((len(ids), multiple * math.ceil(longest / multiple)), np.int32)
    for row, text in zip(array, ids, strict=True):
        row[: len(text)] = text
    return array


class Batches:
    """Rows in batches of similar length, reshuffled by one seed at each pass; without a seed, from short to long."""

    POOL = 32  # batches that are sorted by length together: large enough for little padding, small enough to stay mixed

    def __init__(self, ids: list[np.ndarray], targets: np.ndarray, size: int, seed: int | None = None) -> None:
        self.ids, self.targets, self.size = ids, targets, size
        self.random = None if seed is None else np.random.default_rng(seed)
        self.lengths = np.array([len(text) for text in ids])

    def __len__(self) -> int:
        return math.ceil(len(self.lengths) / self.size)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for batch in self._order():
            yield pad([self.ids[row] for row in batch]), self.targets[batch]

    def _order(self) -> list[np.ndarray]:
        if self.random is None:
            return list(chunks(np.argsort(self.lengths, kind="stable"), self.size))
        pools = chunks(self.random.permutation(len(self.lengths)), self.size * self.POOL)
        ordered = (pool[np.argsort(self.lengths[pool], kind="stable")] for pool in pools)
        batches = [batch for pool in ordered for batch in chunks(pool, self.size)]
        return [batches[number] for number in self.random.permutation(len(batches))]


def chunks(order: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Yield `size` row numbers of an order at a time."""
    return (order[start : start + size] for start in range(0, len(order), size))
