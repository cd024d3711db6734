"""Stacked LSTM layers over embedded tokens; the last layer returns its final state."""

import keras
from pydantic import Field

from gazette.training.networks import layers, recurrent, training_loop


class Params(training_loop.DeepParams, frozen=True, extra="forbid"):
    """Sizes of the recurrent layers; `activation` is that of cell and output, and cuDNN supports only tanh."""

    units: list[training_loop.Size] = Field(min_length=1)
    bidirectional: bool


def build(params: Params, vocabulary: int, classes: int) -> keras.Model:
    """Build the network: embedding, LSTM layers, softmax; padding is masked."""
    ids = layers.token_ids()
    vectors = layers.Embedding(vocabulary, params.embedding, mask_zero=True)(ids)
    vectors = keras.layers.SpatialDropout1D(params.dropout)(vectors)
    for number, units in enumerate(params.units, 1):
        layer = recurrent.LSTM(units, return_sequences=number < len(params.units), **params.options())
        vectors = (keras.layers.Bidirectional(layer) if params.bidirectional else layer)(vectors)
    vectors = keras.layers.Dropout(params.dropout)(vectors)
    return keras.Model(ids, layers.probabilities(classes, params.regularizer())(vectors))
