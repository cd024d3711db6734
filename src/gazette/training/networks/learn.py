"""Learning: numbers, train and valid rows in; a fitted network and what it says of the valid rows out.

`train` makes a bundle of that, `tune` compares figures. Both start Keras first.
"""

import contextlib
import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, Field
from tokenizers import Tokenizer

from gazette.core import articles, corpus, metrics
from gazette.core.errors import parse
from gazette.training.networks import runtime
from gazette.training.networks import tokenizer as tokenizing

if TYPE_CHECKING:
    import keras

    from gazette.training.networks.training_loop import Watch


Precision = Literal["float32", "int8"]  # of a bundle; what is learned is float32


class Params(BaseModel, frozen=True, extra="forbid"):
    """What all candidates share, section `train`; all of it changes the bytes of what is learned."""

    seed: int = Field(ge=0)
    threads: int = Field(ge=1)
    onednn: bool
    tolerance: float = Field(gt=0)
    resamples: int = Field(ge=100, le=100_000)


@dataclass(frozen=True)
class Split:
    """The texts of a split and the number of each one's label; `targets` where probabilities are learned instead."""

    texts: list[str]
    labels: npt.NDArray[np.int64]
    targets: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Learned:
    """A fitted network, the tokenizer of each of its inputs, the longest text in tokens, and how it went.

    `probabilities` are those of the valid rows, as Keras computes them, rows × classes.
    """

    network: "keras.Model"
    tokenizers: dict[str, Tokenizer]
    length: int
    precision: Precision
    curve: list[dict[str, float]]
    probabilities: npt.NDArray[np.float32]


def read(path: Path, labels: list[str]) -> Split:
    """The articles of a split that `preprocess` wrote."""
    table = articles.read(path)
    numbered = table["label"].replace_strict(labels, range(len(labels)), return_dtype=pl.Int64)
    return Split(table["text"].to_list(), numbered.to_numpy())


def begin(params: Params, description: Path, *splits: Path) -> tuple[corpus.Corpus, list[Split]]:
    """Reads a corpus and splits of it, and starts Keras: once what is learned from is known to be there."""
    described = corpus.describe(description)
    rows = [read(path, described.labels) for path in splits]
    runtime.start(params.seed, params.threads, params.onednn)
    return described, rows


def learn(
    section: dict[str, Any],
    where: str,
    train: Split,
    valid: Split,
    classes: int,
    seed: int,
    watch: "Watch | None" = None,
) -> Learned:
    """Learns by a section of `models`; `where` it stands is for messages. What `watch` raises ends it.

    Raises Misconfigured where the numbers are out of bounds or lead nowhere: a loss that is not finite.
    """
    from gazette.training.networks import training_loop
    from gazette.training.networks.family import load_family

    family = load_family(section["family"])
    numbers = parse(family.Params, section, where)
    tokenizer = tokenizing.learn(train.texts, numbers.tokens, numbers.vocabulary, numbers.min_count)
    ids = [tokenizing.encode(tokenizer, split.texts) for split in (train, valid)]
    length = tokenizing.limit(tokenizer, ids[0], numbers.length_quantile, numbers.length_cap)
    seen, held_out = (
        training_loop.Rows([text[:length] for text in texts], split.labels, split.targets)
        for texts, split in zip(ids, (train, valid), strict=True)
    )
    tokenizers = {"inputs": tokenizer}
    if pieces := getattr(numbers, "pieces", 0):
        tokenizers["pieces"] = tokenizing.learn(train.texts, "bpe", pieces, numbers.min_count)
        tokenizers["pieces"].enable_truncation(length)
        seen, held_out = (
            dataclasses.replace(rows, pieces=tokenizing.encode(tokenizers["pieces"], split.texts))
            for rows, split in zip((seen, held_out), (train, valid), strict=True)
        )

    network = family.build(numbers, tokenizer.get_vocab_size(), classes)
    fit = getattr(family, "fit", training_loop.fit)
    with contextlib.redirect_stdout(sys.stderr):
        verbose = 0 if watch else 1 if sys.stderr.isatty() else 2
        curve = fit(network, numbers, seen, held_out, seed, verbose, watch)
    found = training_loop.probabilities(network, held_out)
    return Learned(network, tokenizers, length, numbers.precision, curve, found)


def answers(learned: Learned, texts: list[str]) -> npt.NDArray[np.float32]:
    """What the network says of other texts, texts × classes."""
    from gazette.training.networks import training_loop

    views = {name: tokenizing.encode(tokenizer, texts) for name, tokenizer in learned.tokenizers.items()}
    unknown = np.zeros(len(texts), np.int64)
    return training_loop.probabilities(
        learned.network, training_loop.Rows(views["inputs"], unknown, pieces=views.get("pieces"))
    )


def figures(actual: Any, probabilities: Any, resamples: int, seed: int) -> dict[str, float]:
    """What a candidate is chosen by: accuracy, macro-F1 and its standard error on the valid rows."""
    predicted = probabilities.argmax(axis=1)
    classes = probabilities.shape[1]
    samples = metrics.resample(actual, predicted, classes, resamples, seed)
    return {
        "accuracy": metrics.accuracy(actual, predicted),
        "macro_f1": metrics.macro_f1(actual, predicted, classes),
        "standard_error": float(samples["macro_f1"].std()),
    }
