"""A domain classifier: which words tell texts of one side from those of another, and how well they do.

A two-sample test by a classifier, whose weights say what differs (S. Rabanser et al., "Failing Loudly: An Empirical
Study of Methods for Detecting Dataset Shift", NeurIPS 2019).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

MIN_TEXTS = 50  # of a side; with fewer, chance decides which words differ
_FOLDS = 5


@dataclass(frozen=True)
class Difference:
    """How often the classifier ranks a text of the second side above one of the first (AUC, 0.5 by chance), and words.

    Each word has its `weight`, positive for the second side, and the shares of texts `before` and `after` that have it.
    """

    auc: float
    words: list[dict[str, Any]]


def compare(before: Sequence[list[str]], after: Sequence[list[str]], limit: int, seed: int) -> Difference | None:
    """Return how the words of two sides differ, the `limit` with the largest weights; None if a side is too small.

    Words in fewer than one text in 200, or five, are left out. The AUC is of texts that a fold held out.
    """
    if min(len(before), len(after)) < MIN_TEXTS:
        return None
    texts, side = [*before, *after], np.repeat([0, 1], [len(before), len(after)])
    frequency = Counter(word for text in texts for word in set(text) if any(map(str.isalnum, word)))
    names = sorted(word for word, count in frequency.items() if count >= max(5, len(texts) // 200))
    if not names:
        return None
    counts = CountVectorizer(analyzer=list, binary=True, vocabulary=names).transform(texts)
    model = LogisticRegression(C=0.1, class_weight="balanced", solver="liblinear", random_state=seed)
    order = np.random.default_rng(seed).permutation(len(side))
    scores = cross_val_predict(model, counts[order], side[order], cv=_FOLDS, method="decision_function")
    weights = model.fit(counts, side).coef_[0]
    shares = [np.asarray(counts[side == number].mean(axis=0))[0] for number in (0, 1)]
    ranked = [number for number in np.argsort(-np.abs(weights), kind="stable") if weights[number]]
    words = [
        {
            "word": names[number], "weight": float(weights[number]),
            "before": float(shares[0][number]), "after": float(shares[1][number]),
        }
        for number in ranked[:limit]
    ]  # fmt: skip
    return Difference(float(roc_auc_score(side[order], scores)), words)
