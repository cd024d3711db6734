"""A small Transformer encoder, trained from scratch: attention over the tokens, their average, softmax.

After A. Vaswani et al., "Attention Is All You Need", NIPS 2017, with layer normalization before each sublayer (R. Xiong
et al., "On Layer Normalization in the Transformer Architecture", ICML 2020), which trains without a warm-up.
"""

from typing import Any

import keras
from keras import ops
from pydantic import model_validator

from gazette.training.networks import layers, training_loop


class Params(training_loop.DeepParams, frozen=True, extra="forbid"):
    """Sizes of the encoder; `max_positions` is at least the maximum length of a text in tokens."""

    num_heads: training_loop.Size
    num_layers: training_loop.Size
    intermediate_dim: training_loop.Size
    max_positions: training_loop.Size

    @model_validator(mode="after")
    def _heads_share_the_embedding(self) -> "Params":
        if self.embedding % self.num_heads:
            raise ValueError("embedding must be a multiple of num_heads")
        return self


class Positions(keras.layers.Layer):
    """Adds a learned vector per position; tokens beyond the last position share its vector."""

    def __init__(self, positions: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = self.add_weight(shape=(positions, width), initializer="random_normal", name="table")

    def call(self, vectors: Any, ids: Any) -> Any:  # noqa: D102
        positions = ops.cumsum(ops.ones_like(ids), axis=1) - 1
        return vectors + ops.take(self.table, ops.minimum(positions, self.table.shape[0] - 1), axis=0)


def build(params: Params, vocabulary: int, classes: int) -> keras.Model:
    """Build the network: embedding and positions, encoder blocks, average over the tokens, softmax."""
    ids = layers.token_ids()
    vectors = layers.Embedding(vocabulary, params.embedding)(ids)
    vectors = Positions(params.max_positions, params.embedding)(vectors, ids)
    vectors = keras.layers.Dropout(params.dropout)(vectors)
    for _ in range(params.num_layers):
        vectors = vectors + _attention(params, keras.layers.LayerNormalization()(vectors), ids)
        vectors = vectors + _feed_forward(params, keras.layers.LayerNormalization()(vectors))
    values = layers.MaskedSum()(keras.layers.LayerNormalization()(vectors), ids)
    return keras.Model(ids, layers.probabilities(classes, params.regularizer())(values))


def _attention(params: Params, vectors: Any, ids: Any) -> Any:
    attend = keras.layers.MultiHeadAttention(
        params.num_heads, params.embedding // params.num_heads, dropout=params.dropout
    )
    return attend(vectors, vectors, attention_mask=layers.KeyMask()(ids))


def _feed_forward(params: Params, vectors: Any) -> Any:
    hidden = keras.layers.Dense(params.intermediate_dim, **params.options())(vectors)
    return keras.layers.Dropout(params.dropout)(keras.layers.Dense(params.embedding)(hidden))
