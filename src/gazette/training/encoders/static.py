"""A linear SVM on n-grams and on what words mean: an encoder's vectors of single words, computed once.

The vectors are made as by model2vec (https://github.com/MinishLab/model2vec): the encoder's answer for a word alone,
fewer dimensions by PCA, weights by how rare the word is. The sum of a text's vectors is linear in its words, so the
network is that of `linear`, as small and as fast. Words of the encoder that no train row has get weights too.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from gazette.training.encoders import bert
from gazette.training.networks import training_loop
from gazette.training.networks.batches import Rows
from gazette.training.networks.families import linear
from gazette.training.networks.learn import Learned, Split
from gazette.training.networks.tokenizer import encode, set_max_length, train_tokenizer

_MAX_PIECES = 32  # of a word that the encoder reads
_SPECIAL = 2  # padding and the unknown token mean nothing


class Params(linear.Params, frozen=True, extra="forbid"):
    """Settings of `linear`, and of the words' vectors."""

    family: Literal["static"]
    subword_vocabulary: Literal[0] = 0
    dimensions: int = Field(ge=1, le=4096)  # of the vectors, by PCA
    vector_length: float = Field(gt=0)  # of a text's sum of vectors in the mean; that of its n-grams is 1


def train_static(folder: Path, params: Params, train: Split, valid: Split, seed: int) -> Learned:
    """Solve for the weights of n-grams and words, with the vectors of the encoder in `folder`."""
    reader = bert.load_tokenizer(folder, _MAX_PIECES)
    known = sorted(token for token in reader.get_vocab() if token.isalpha())
    tokenizer = train_tokenizer([*train.texts, *known], params.tokens, params.vocabulary, params.min_frequency)
    ids = [encode(tokenizer, split.texts) for split in (train, valid)]
    length = set_max_length(tokenizer, ids[0], params.length_quantile, params.max_length)
    train_rows, valid_rows = (
        Rows([text[:length] for text in texts], split.labels, split.soft_labels)
        for split, texts in zip((train, valid), ids, strict=True)
    )
    words = sorted(vocabulary := tokenizer.get_vocab(), key=lambda word: vocabulary[word])
    answers = bert.embed(bert.build_encoder(folder), encode(reader, words))
    vectors = weigh_vectors(answers, train_rows.ids, params.dimensions)
    network = linear.build(params, len(words), train.classes)
    curve = linear.solve(network, params, train_rows, valid_rows, seed, vectors, params.vector_length)
    probabilities = training_loop.probabilities(network, valid_rows)
    return Learned(network, {"inputs": tokenizer}, length, params.precision, curve, probabilities)


def weigh_vectors(answers: np.ndarray, texts: Sequence[np.ndarray], dimensions: int) -> np.ndarray:
    """Return the vector of each token: length 1, centered, `dimensions` by PCA, times idf; zeros for special tokens.

    Mean and principal axes are those of the tokens as often as `texts` have them.
    """
    rows_with = np.bincount(np.concatenate([np.unique(text) for text in texts]), minlength=len(answers))
    weights = 1 + np.log((1 + len(texts)) / (1 + rows_with))
    weights[:_SPECIAL] = 0
    importance = weights * rows_with
    vectors = answers.astype(np.float64) / np.linalg.norm(answers, axis=1, keepdims=True)
    vectors -= importance @ vectors / importance.sum()
    axes = np.linalg.eigh((importance[:, None] * vectors).T @ vectors)[1][:, ::-1]
    return np.asarray(weights[:, None] * (vectors @ axes[:, :dimensions]))
