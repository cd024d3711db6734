"""What each n-gram or word of a text adds to each label.

The score of a label is its centered log-odds: the logarithm of its probability minus the mean of these logarithms
over all labels. For a linear classifier the parts sum to the score exactly. For any other, a part is how much the score
falls if the word is left out (occlusion: M. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional
Networks", ECCV 2014).
"""

import math
import time
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Encoding

from gazette.core.arrays import Array
from gazette.core.bundle import Bundle
from gazette.training.explanation.graph import expose_linear_rows
from gazette.training.explanation.words import find_words

MAX_PARTS = 512  # of a text that are left out in turn; those of a text with more words are groups of neighbors
_SLICE = 2048  # tokens that are classified between two looks at the clock, about 0.1 s of an LSTM
_MIN_SQUARE = 1e-12  # as in the linear family


@dataclass(frozen=True)
class Part:
    """The characters `start` to `end` of a text, and what they add to the score of each label, in the labels' order."""

    start: int
    end: int
    scores: list[float]


@dataclass(frozen=True)
class Explanation:
    """The parts of a text; if `exact`, they and `bias` sum to the scores. `words` are the parts shared out by word."""

    labels: list[str]
    bias: list[float]
    parts: list[Part]
    words: list[Part]
    exact: bool

    def by_label(self, scores: list[float]) -> dict[str, float]:
        """Return numbers, one for each label, by label."""
        return {label: round(score, 6) for label, score in zip(self.labels, scores, strict=True)}

    def record(self) -> dict[str, Any]:
        """Return the words and the bias as they are written in JSON."""
        words = [{"start": word.start, "end": word.end, "scores": self.by_label(word.scores)} for word in self.words]
        return {"exact": self.exact, "bias": self.by_label(self.bias), "words": words}


class Explainer:
    """Explains the predictions of a bundle, exactly if it is linear."""

    def __init__(self, bundle: Bundle, folder: Path) -> None:
        self.bundle = bundle
        exposed = expose_linear_rows(folder / "model.onnx")
        self.session = None
        if exposed:
            content, *self.outputs = exposed
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.log_severity_level = 1, 3
            self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def explain(self, text: str, max_parts: int = MAX_PARTS, deadline: float = math.inf) -> Explanation:
        """Explain the prediction for a text; raises TimeoutError if it takes longer than to a `time.monotonic()`."""
        encodings = {name: tokenizer.encode(text) for name, tokenizer in self.bundle.tokenizers.items()}
        end = max((span[1] for encoding in encodings.values() for span in encoding.offsets), default=0)
        words = find_words(text[:end])  # behind the last token nothing has influence
        labels = self.bundle.labels
        if self.session is None:
            size = max(1, _SLICE // max(1, *(len(encoding.ids) for encoding in encodings.values())))
            spans = _group(words, max_parts)
            parts = self._leave_out(text[:end], spans, size, deadline)
            return Explanation(labels, self._scores([""])[0].tolist(), parts, parts, exact=False)
        bias, parts = self._linear_parts(encodings)
        return Explanation(labels, bias, _merge(parts), _share(parts, words), exact=True)

    def _scores(self, texts: list[str]) -> Array:
        return _center(np.log(self.bundle.probabilities(texts).clip(min=1e-12)))

    def _leave_out(self, text: str, spans: list[tuple[int, int]], size: int, deadline: float) -> list[Part]:
        texts = [text, *(f"{text[:start]} {text[end:]}" for start, end in spans)]
        slices = []
        for start in range(0, len(texts), size):
            if time.monotonic() > deadline:
                raise TimeoutError
            slices.append(self._scores(texts[start : start + size]))
        scores = np.concatenate(slices)
        return [Part(start, end, row.tolist()) for (start, end), row in zip(spans, scores[0] - scores[1:], strict=True)]

    def _linear_parts(self, encodings: dict[str, Encoding]) -> tuple[list[float], list[Part]]:
        assert self.session is not None
        ids = {name: np.array([encoding.ids or [0]], np.int32) for name, encoding in encodings.items()}
        rows, logits = self.session.run(self.outputs, ids)
        total = rows[0].astype(np.float64).sum(axis=0)
        added = _center(rows[0, :, :-1].astype(np.float64) / np.sqrt(max(total[-1], _MIN_SQUARE)))
        bias = _center(logits.astype(np.float64))[0] - added.sum(axis=0)
        spans = _ngram_spans(list(encodings.values()), len(rows[0]))
        parts = [Part(*span, row.tolist()) for span, row in zip(spans, added, strict=True) if row.any()]
        return bias.tolist(), parts


def _center(scores: Array) -> Array:
    return np.asarray(scores - scores.mean(axis=-1, keepdims=True))


def _group(words: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Return at most `most` spans: each word, or as many neighbors as it takes."""
    size = math.ceil(len(words) / most) or 1
    groups = (words[start : start + size] for start in range(0, len(words), size))
    return [(group[0][0], group[-1][1]) for group in groups]


def _ngram_spans(encodings: list[Encoding], rows: int) -> list[tuple[int, int]]:
    """Return the characters of each n-gram in the order of the graph (training.networks.ngrams and .families.linear).

    Two views are separated by two empty tokens; n-grams of two and more tokens begin and end with an empty one.
    """
    tokens: list[tuple[int, int] | None] = []
    for encoding in encodings:
        tokens += [None, None] if tokens else []
        tokens += encoding.offsets or [None]
    bounded = [None, *tokens, None]
    grams, order = [[token] for token in tokens], 2
    while len(grams) < rows:
        grams += [bounded[start : start + order] for start in range(len(bounded) - order + 1)]
        order += 1
    spans = ([token for token in gram if token] for gram in grams)
    return [(min(gram)[0], max(end for _, end in gram)) if gram else (0, 0) for gram in spans]


def _merge(parts: list[Part]) -> list[Part]:
    """Return one part for equal characters, in the order of the text; both views may have the same word."""
    parts = sorted(parts, key=lambda part: (part.start, part.end))
    return [
        Part(*span, np.sum([part.scores for part in group], axis=0).tolist())
        for span, group in groupby(parts, key=lambda part: (part.start, part.end))
    ]


def _share(parts: list[Part], words: list[tuple[int, int]]) -> list[Part]:
    """Share each n-gram among the words that it touches, in equal parts, and return what each word adds."""
    starts, ends = (np.array([word[place] for word in words]) for place in (0, 1))
    shared = np.zeros((len(words), len(parts[0].scores) if parts else 0))
    for part in parts if words else []:
        touched = np.flatnonzero((starts < part.end) & (ends > part.start))
        if len(touched):
            shared[touched] += np.array(part.scores) / len(touched)
    return [Part(start, end, row.tolist()) for (start, end), row in zip(words, shared, strict=True) if row.any()]
