"""Convolutions of several widths over embedded tokens, max-pooled over the text.

After Y. Kim, "Convolutional Neural Networks for Sentence Classification", EMNLP 2014.
"""

import keras
from pydantic import Field

from gazette.training.networks import layers, training_loop


class Params(training_loop.DeepParams, frozen=True, extra="forbid"):
    """Sizes of the convolutions; `widths` in tokens, `filters` for each width."""

    filters: training_loop.Size
    widths: list[training_loop.Size] = Field(min_length=1)


def build(params: Params, vocabulary: int, classes: int) -> keras.Model:
    """Build the network: embedding, parallel convolutions, maximum over the tokens, softmax."""
    ids = layers.token_ids()
    vectors = layers.Embedding(vocabulary, params.embedding)(ids)
    vectors = vectors * layers.is_token(ids)  # padding must not change the result
    vectors = keras.layers.SpatialDropout1D(params.dropout)(vectors)
    pooled = [
        layers.MaskedMax()(keras.layers.Conv1D(params.filters, width, padding="same", **params.options())(vectors), ids)
        for width in params.widths
    ]
    values = keras.layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]
    values = keras.layers.Dropout(params.dropout)(values)
    return keras.Model(ids, layers.probabilities(classes, params.regularizer())(values))
