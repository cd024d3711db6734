"""Layers that several families share; each is safe for a text without tokens."""

import functools
from typing import Any, Literal

import keras
import tensorflow as tf
from keras import ops

Activation = Literal["relu", "sigmoid", "tanh", "gelu", "elu", "selu", "silu"]


def token_ids(name: str = "inputs") -> keras.KerasTensor:
    """Return the input of every family: token ids, batch × length."""
    return keras.Input((None,), dtype="int32", name=name)


def is_token(ids: Any) -> Any:
    """Return 1.0 for tokens and 0.0 for padding, batch × length × 1."""
    return ops.expand_dims(ops.cast(ops.not_equal(ids, 0), "float32"), -1)


class Embedding(keras.layers.Embedding):
    """Keras' embedding, read row by row, since a step uses few rows and reading the whole table would copy it."""

    def call(self, ids: Any) -> Any:  # noqa: D102
        return tf.gather(self.embeddings.value, ids)


class WordDropout(keras.layers.Layer):
    """Replaces a share of the tokens by padding during training."""

    def __init__(self, share: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.share, self.seeds = share, keras.random.SeedGenerator()

    def call(self, ids: Any, training: bool = False) -> Any:  # noqa: D102
        if not training or not self.share:
            return ids
        return ops.where(keras.random.uniform(ops.shape(ids), seed=self.seeds) < self.share, 0, ids)


class MaskedSum(keras.layers.Layer):
    """Sums the vectors of a text's tokens and divides by their number to the power `norm` (1: the mean)."""

    def __init__(self, norm: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.norm = norm

    def call(self, vectors: Any, ids: Any) -> Any:  # noqa: D102
        mask = is_token(ids)
        count = ops.maximum(ops.sum(mask, axis=1), 1.0)
        return ops.sum(vectors * mask, axis=1) / ops.power(count, self.norm)


class MaskedMax(keras.layers.Layer):
    """Maximum of each channel over a text's tokens; 0 for a text without tokens."""

    def call(self, vectors: Any, ids: Any) -> Any:  # noqa: D102
        mask = is_token(ids)
        return ops.max(ops.where(mask > 0, vectors, -1e9), axis=1) * ops.max(mask, axis=1)


class KeyMask(keras.layers.Layer):
    """Attention mask for keys, batch × 1 × length."""

    def call(self, ids: Any) -> Any:  # noqa: D102
        return ops.expand_dims(ops.not_equal(ids, 0), 1)


def activation(name: Activation) -> Any:
    """Return the activation of that name; gelu is the tanh approximation, since ONNX lacks the exact one's `Erfc`."""
    return functools.partial(ops.gelu, approximate=True) if name == "gelu" else name


def probabilities(classes: int, regularizer: keras.regularizers.Regularizer | None) -> keras.layers.Layer:
    """Return the output layer: a probability per class."""
    return keras.layers.Dense(classes, activation="softmax", kernel_regularizer=regularizer, name="probabilities")
