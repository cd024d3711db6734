"""The average of embedded words and hashed n-grams, softmax: fastText's network, tuned for small corpora.

After A. Joulin et al., "Bag of Tricks for Efficient Text Classification", EACL 2017. In addition, rare n-grams are
ignored, n-grams are dropped out during training, and each vector is scaled by the information of its n-gram.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from pydantic import Field

from gazette.training.networks import layers, solvers, training_loop
from gazette.training.networks.batches import Rows
from gazette.training.networks.family import EpochCallback
from gazette.training.networks.ngrams import NgramParams, fill_rows, frequent_ngrams, ngram_matrix, ngram_rows

_NORM = 0.5  # divides the sum by √count: a long text says more


class Params(NgramParams, training_loop.Params, frozen=True, extra="forbid"):
    """Size of the embedding, its n-grams, and their dropout."""

    embedding: training_loop.Size
    buckets: int = Field(ge=1, le=1 << 20)
    word_dropout: float = Field(ge=0, lt=1)  # share of a text's n-grams


class FeatureScale(keras.layers.Layer):
    """Multiplies each vector by a factor of its table row; the factors are 1 until `fit` sets them."""

    def __init__(self, rows: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factors = self.add_weight(shape=(rows,), initializer="ones", trainable=False, name="factors")

    def call(self, vectors: Any, rows: Any) -> Any:  # noqa: D102
        return vectors * tf.gather(self.factors.value, rows)[..., None]


def build(params: Params, vocabulary: int, classes: int) -> keras.Model:
    """Build the network: embedding of the n-grams, their sum over √count, softmax."""
    ids = layers.token_ids()
    rows = ngram_rows(ids, params, vocabulary)
    rows = layers.WordDropout(params.word_dropout)(rows)
    vectors = layers.Embedding(params.max_features + 1, params.embedding, embeddings_initializer="zeros")(rows)
    vectors = FeatureScale(params.max_features + 1, name="scale")(vectors, rows)
    values = keras.layers.Dropout(params.dropout)(layers.MaskedSum(_NORM)(vectors, rows))
    return keras.Model(ids, layers.probabilities(classes, params.regularizer())(values))


def fit(
    network: keras.Model, params: Params, train: Rows, valid: Rows, seed: int, on_epoch: EpochCallback | None = None
) -> list[dict[str, float]]:
    """Assign the table rows to the n-grams of the training rows, then fit as `training_loop.fit` does."""
    x, targets = ngram_matrix(network, train), np.eye(network.output_shape[1])[train.labels]
    features = frequent_ngrams(x, params)
    weights = solvers.term_weights(x[:, features].sign().T @ targets, targets.sum(axis=0), params.smoothing)
    fill_rows(network, features, "scale", weights / weights.mean())
    return training_loop.fit(network, params, train, valid, seed, on_epoch)
