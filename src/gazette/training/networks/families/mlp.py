"""A multilayer perceptron on the average of embedded tokens.

After M. Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text Classification", ACL 2015.
"""

import keras

from gazette.training.networks import layers, training_loop


class Params(training_loop.Params, frozen=True, extra="forbid"):
    """Sizes of the embedding and of each hidden layer, and their activation."""

    embedding: training_loop.Size
    hidden: list[training_loop.Size]
    activation: layers.Activation


def build(params: Params, vocabulary: int, classes: int) -> keras.Model:
    """Build the network: embedding, average over the tokens, dense layers, softmax."""
    ids = layers.token_ids()
    vectors = layers.Embedding(vocabulary, params.embedding)(ids)
    values = layers.MaskedSum()(vectors, ids)
    for units in params.hidden:
        values = keras.layers.Dropout(params.dropout)(values)
        values = keras.layers.Dense(
            units, activation=layers.activation(params.activation), kernel_regularizer=params.regularizer()
        )(values)
    values = keras.layers.Dropout(params.dropout)(values)
    return keras.Model(ids, layers.probabilities(classes, params.regularizer())(values))
