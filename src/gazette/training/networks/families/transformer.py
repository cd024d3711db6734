"""A small Transformer encoder from scratch: attention over the tokens, their average, softmax.

After A. Vaswani et al., "Attention Is All You Need", NIPS 2017, with the normalisation before each part (R. Xiong et
al., "On Layer Normalization in the Transformer Architecture", ICML 2020), which trains without a warm-up.
"""

from typing import Any

import keras
from keras import ops
from pydantic import model_validator

from gazette.training.networks import layers, training_loop


class Params(training_loop.Params, frozen=True, extra="forbid"):
    """Sizes of the encoder; `positions` is the longest text in tokens, and at least the maximum length."""

    embedding: training_loop.Size
    heads: training_loop.Size
    blocks: training_loop.Size
    feed_forward: training_loop.Size
    positions: training_loop.Size
    activation: layers.Activation

    @model_validator(mode="after")
    def _heads_share_the_embedding(self) -> "Params":
        if self.embedding % self.heads:
            raise ValueError("embedding must be a multiple of heads")
        return self


class Positions(keras.layers.Layer):
    """Adds a learned vector per position; a token past the last one shares its vector."""

    def __init__(self, positions: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = self.add_weight(shape=(positions, width), initializer="random_normal", name="table")

    def call(self, vectors: Any, ids: Any) -> Any:  # noqa: D102
        place = ops.cumsum(ops.ones_like(ids), axis=1) - 1
        return vectors + ops.take(self.table, ops.minimum(place, self.table.shape[0] - 1), axis=0)


def build(params: Params, vocabulary: int, classes: int) -> keras.Model:
    """Embedding and positions, blocks of attention and feed-forward, average over the tokens, softmax."""
    ids = layers.token_ids()
    vectors = layers.Embedding(vocabulary, params.embedding)(ids)
    vectors = Positions(params.positions, params.embedding)(vectors, ids)
    vectors = keras.layers.Dropout(params.dropout)(vectors)
    for _ in range(params.blocks):
        vectors = vectors + _attention(params, keras.layers.LayerNormalization()(vectors), ids)
        vectors = vectors + _feed_forward(params, keras.layers.LayerNormalization()(vectors))
    values = layers.MaskedSum()(keras.layers.LayerNormalization()(vectors), ids)
    return keras.Model(ids, layers.probabilities(classes, params.regularizer())(values))


def _attention(params: Params, vectors: Any, ids: Any) -> Any:
    attend = keras.layers.MultiHeadAttention(params.heads, params.embedding // params.heads, dropout=params.dropout)
    return attend(vectors, vectors, attention_mask=layers.KeyMask()(ids))


def _feed_forward(params: Params, vectors: Any) -> Any:
    hidden = keras.layers.Dense(
        params.feed_forward, activation=layers.activation(params.activation), kernel_regularizer=params.regularizer()
    )(vectors)
    return keras.layers.Dropout(params.dropout)(keras.layers.Dense(params.embedding)(hidden))
