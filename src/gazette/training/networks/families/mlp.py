"""A multilayer perceptron on the average of embedded tokens.

After M. Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text Classification", ACL 2015.
"""

import keras

from gazette.training.networks import layers, training_loop


class Params(training_loop.DeepParams, frozen=True, extra="forbid"):
    """Sizes of the hidden layers."""

    hidden: list[training_loop.Size]


def build(params: Params, vocabulary: int, classes: int) -> keras.Model:
    """Build the network: embedding, average over the tokens, dense layers, softmax."""
    ids = layers.token_ids()
    vectors = layers.Embedding(vocabulary, params.embedding)(ids)
    values = layers.MaskedSum()(vectors, ids)
    for units in params.hidden:
        values = keras.layers.Dropout(params.dropout)(values)
        values = keras.layers.Dense(units, **params.options())(values)
    values = keras.layers.Dropout(params.dropout)(values)
    return keras.Model(ids, layers.probabilities(classes, params.regularizer())(values))
