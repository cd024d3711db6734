"""Training of a candidate: settings and splits in, a fitted network and its validation probabilities out.

`train` writes a bundle of the result, `tune` compares metrics. Both configure TensorFlow first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from prefect_dvc.core.errors import parse
from pydantic import BaseModel, Field
from tokenizers import Tokenizer

from gazette.core import articles, metrics
from gazette.core.arrays import Array
from gazette.core.corpus import Corpus, read_description
from gazette.training.networks import runtime
from gazette.training.networks.batches import Rows
from gazette.training.networks.family import EpochCallback, Precision, load_family
from gazette.training.networks.tokenizer import encode, set_max_length, train_tokenizer

if TYPE_CHECKING:
    import keras


class Params(BaseModel, frozen=True, extra="forbid"):
    """Section `train`, the settings that all candidates share."""

    seed: int = Field(ge=0, lt=1 << 32)  # NumPy's bound
    threads: int = Field(ge=1)
    onednn: bool
    resamples: int = Field(ge=100, le=100_000)
    export_tolerance: float = Field(gt=0)
    max_rows: int | None = Field(None, ge=1)


@dataclass(frozen=True)
class Split:
    """The texts of a split and their labels, below `classes`; `soft_labels` if probabilities are learned instead."""

    texts: list[str]
    labels: npt.NDArray[np.int64]
    classes: int
    soft_labels: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Learned:
    """A fitted network, the tokenizer of each input, the maximum length in tokens, and the learning curve.

    `probabilities` are those of the validation rows as Keras computes them, rows × classes.
    """

    network: "keras.Model"
    tokenizers: dict[str, Tokenizer]
    length: int
    precision: Precision
    curve: list[dict[str, float]]
    probabilities: npt.NDArray[np.float32]


def read_split(path: Path, labels: list[str], max_rows: int | None = None, seed: int = 0) -> Split:
    """Read a split that `preprocess` wrote, or at most `max_rows` of its rows, sampled by a seed."""
    table = articles.sample_articles(path, max_rows, seed)
    return Split(table["text"].to_list(), articles.encode_labels(table["label"], labels), len(labels))


def load_splits(
    params: Params, description: Path, *splits: Path, max_rows: int | None = None
) -> tuple[Corpus, list[Split]]:
    """Read a corpus description and splits, at most `max_rows` of each, then configure TensorFlow."""
    corpus = read_description(description)
    rows = [read_split(path, corpus.labels, max_rows, params.seed) for path in splits]
    runtime.configure_tensorflow(params.seed, params.threads, params.onednn)
    return corpus, rows


def train_candidate(
    section: dict[str, Any], where: str, train: Split, valid: Split, seed: int, on_epoch: EpochCallback | None = None
) -> Learned:
    """Train by a section of `models`; `where` names it in messages. An exception from `on_epoch` ends the training.

    Raises ConfigError if a value is out of bounds or the loss becomes non-finite.
    """
    from gazette.training.networks import training_loop

    family = load_family(section["family"])
    params = parse(family.Params, section, where)
    tokenizer = train_tokenizer(train.texts, params.tokens, params.vocabulary, params.min_frequency)
    ids = [encode(tokenizer, split.texts) for split in (train, valid)]
    length = set_max_length(tokenizer, ids[0], params.length_quantile, params.max_length)
    tokenizers: dict[str, Tokenizer] = {"inputs": tokenizer}
    pieces: Sequence[list[np.ndarray] | None] = (None, None)
    if vocabulary := getattr(params, "subword_vocabulary", 0):
        tokenizers["pieces"] = train_tokenizer(train.texts, "bpe", vocabulary, params.min_frequency)
        tokenizers["pieces"].enable_truncation(length)
        pieces = [encode(tokenizers["pieces"], split.texts) for split in (train, valid)]
    train_rows, valid_rows = (
        Rows([text[:length] for text in texts], split.labels, split.soft_labels, subwords)
        for split, texts, subwords in zip((train, valid), ids, pieces, strict=True)
    )
    params = params.bounded_by(train_rows)
    network = family.build(params, tokenizer.get_vocab_size(), train.classes)
    fit = getattr(family, "fit", training_loop.fit)
    curve = fit(network, params, train_rows, valid_rows, seed, on_epoch)
    probabilities = training_loop.probabilities(network, valid_rows)
    return Learned(network, tokenizers, length, params.precision, curve, probabilities)


def predict_proba(learned: Learned, texts: list[str]) -> npt.NDArray[np.float32]:
    """Return class probabilities of new texts, texts × classes."""
    from gazette.training.networks import training_loop

    ids = {name: encode(tokenizer, texts) for name, tokenizer in learned.tokenizers.items()}
    rows = Rows(ids["inputs"], np.zeros(len(texts), np.int64), pieces=ids.get("pieces"))
    return training_loop.probabilities(learned.network, rows)


def validation_metrics(actual: Array, probabilities: Array, resamples: int, seed: int) -> dict[str, float]:
    """Return what candidates are selected by: accuracy, macro-F1 and its standard error on the validation rows."""
    predicted = probabilities.argmax(axis=1)
    classes = probabilities.shape[1]
    samples = metrics.bootstrap(actual, predicted, classes, resamples, seed)
    return {
        "accuracy": metrics.accuracy(actual, predicted),
        "macro_f1": metrics.macro_f1(actual, predicted, classes),
        "standard_error": float(samples["macro_f1"].std()),
    }
