"""The average of embedded words and hashed n-grams, softmax: fastText's network, with what pays on little text.

After A. Joulin et al., "Bag of Tricks for Efficient Text Classification", EACL 2017. Beyond it: n-grams that hardly any
row has are left out, others are drawn to be left out, and an n-gram's vector is as long as it is informative.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from pydantic import Field

from gazette.training.networks import layers, solvers, training_loop
from gazette.training.networks.families import linear

_NORM = 0.5  # of the sum, over √count: a long text says more


class Params(training_loop.Params, frozen=True, extra="forbid"):
    """N-grams of 1 to `ngrams` tokens; those of more than one share `buckets` numbers."""

    embedding: training_loop.Size
    ngrams: int = Field(ge=1, le=3)
    buckets: int = Field(ge=1, le=1 << 20)
    min_rows: int = Field(ge=1)  # an n-gram in fewer train rows has no vector
    table_rows: int = Field(ge=1, le=1 << 21)  # the n-grams in most train rows have one each
    smoothing: float = Field(gt=0)
    word_dropout: float = Field(ge=0, lt=1)  # share of a text's n-grams that are left out, others each time


class Informative(keras.layers.Layer):
    """Multiplies the vector of each row of a table by how informative the row is; by 1 until `fit` knows."""

    def __init__(self, rows: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factors = self.add_weight(shape=(rows,), initializer="ones", trainable=False, name="factors")

    def call(self, vectors: Any, rows: Any) -> Any:  # noqa: D102
        return vectors * tf.gather(self.factors.value, rows)[..., None]


def build(params: Params, vocabulary: int, classes: int) -> keras.Model:
    """Embedding of the n-grams, their sum over √count, softmax."""
    ids = layers.token_ids()
    rows = linear.looked_up(ids, params.ngrams, params.buckets, vocabulary)
    rows = layers.WordDropout(params.word_dropout)(rows)
    vectors = layers.Embedding(params.table_rows + 1, params.embedding, embeddings_initializer="zeros")(rows)
    vectors = Informative(params.table_rows + 1, name="informative")(vectors, rows)
    values = keras.layers.Dropout(params.dropout)(layers.MaskedSum(_NORM)(vectors, rows))
    return keras.Model(ids, layers.probabilities(classes, params.regularizer())(values))


def fit(
    network: keras.Model,
    params: Params,
    train: training_loop.Rows,
    valid: training_loop.Rows,
    seed: int,
    verbose: int,
    watch: training_loop.Watch | None = None,
) -> list[dict[str, float]]:
    """Gives the n-grams of the train rows their rows of the table, then fits as `training_loop.fit` does."""
    x, target = linear.matrix(network, train), np.eye(network.output_shape[1])[train.labels]
    kept = linear.frequent(x, params.min_rows, params.table_rows)
    found = solvers.informativeness(x[:, kept].sign().T @ target, target.sum(axis=0), params.smoothing)
    linear.place(network, kept)
    layer = network.get_layer("informative")
    factors = layer.get_weights()[0]
    factors[1 : len(kept) + 1] = found / found.mean()
    layer.set_weights([factors])
    return training_loop.fit(network, params, train, valid, seed, verbose, watch)
