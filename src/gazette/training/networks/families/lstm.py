"""Stacked LSTM layers over embedded tokens; the last layer returns its final state."""

import keras
from pydantic import Field

from gazette.training.networks import layers, recurrent, training_loop


class Params(training_loop.Params, frozen=True, extra="forbid"):
    """Sizes of the embedding and of each recurrent layer."""

    embedding: training_loop.Size
    units: list[training_loop.Size] = Field(min_length=1)
    bidirectional: bool
    activation: layers.Activation  # of cell and output; cuDNN supports only tanh


def build(params: Params, vocabulary: int, classes: int) -> keras.Model:
    """Build the network: embedding, LSTM layers, softmax; padding is masked."""
    ids = layers.token_ids()
    vectors = layers.Embedding(vocabulary, params.embedding, mask_zero=True)(ids)
    vectors = keras.layers.SpatialDropout1D(params.dropout)(vectors)
    for number, units in enumerate(params.units, 1):
        layer = recurrent.LSTM(
            units,
            activation=layers.activation(params.activation),
            return_sequences=number < len(params.units),
            kernel_regularizer=params.regularizer(),
        )
        vectors = (keras.layers.Bidirectional(layer) if params.bidirectional else layer)(vectors)
    vectors = keras.layers.Dropout(params.dropout)(vectors)
    return keras.Model(ids, layers.probabilities(classes, params.regularizer())(vectors))
