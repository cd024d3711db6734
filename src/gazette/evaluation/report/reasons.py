"""Why a classifier is mistaken: the words of an article that speak for the predicted label, and for its own."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from gazette.core.bundle import Bundle
from gazette.training.explanation.explain import Explainer, Explanation

MAX_WORDS, MIN_SCORE = 6, 0.005  # for each label
MAX_EXACT, MAX_OCCLUDED = 50, 3  # mistakes: an exact explanation takes 30 ms, any other a batch of up to 512 texts


def reasons_of(mistakes: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Return for the first mistakes (text, label, predicted) the words for either label, and whether they are exact.

    Empty for a mistake whose labels this bundle does not have: an earlier one made it.
    """
    bundle = Bundle(folder)
    explainer = Explainer(bundle, folder)
    first = mistakes[: MAX_EXACT if explainer.session else MAX_OCCLUDED]
    return [
        rank_words(explainer.explain(row["text"]), row["text"], row["label"], row["predicted"])
        if {row["label"], row["predicted"]} <= set(bundle.labels)
        else {}
        for row in first
    ]


def rank_words(explanation: Explanation, text: str, label: str, predicted: str) -> dict[str, Any]:
    """Return the words that add most to the log-odds of `predicted` against `label`, and those that take most away."""
    first, second = (explanation.labels.index(name) for name in (predicted, label))
    sums: dict[str, float] = defaultdict(float)
    for word in explanation.words:
        sums[text[word.start : word.end].casefold()] += word.scores[first] - word.scores[second]
    ranked = sorted(
        ((score, word) for word, score in sums.items() if abs(score) >= MIN_SCORE and re.search(r"\w", word)),
        reverse=True,
    )
    return {
        "for_predicted": [(word, score) for score, word in ranked[:MAX_WORDS] if score > 0],
        "for_label": [(word, -score) for score, word in ranked[: -MAX_WORDS - 1 : -1] if score < 0],
        "is_exact": explanation.exact,
    }
