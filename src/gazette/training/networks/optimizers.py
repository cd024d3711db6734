"""The optimizers that params.yaml may name, and the one that Keras lacks."""

from typing import Any, Literal

import keras
import tensorflow as tf

Name = Literal["sgd", "adagrad", "adam", "lazy_adam", "adamw", "rmsprop"]


class LazyAdam(keras.optimizers.Adam):
    """Adam that moves the rows of an embedding that a batch reads, and leaves the others as they are.

    Keras' Adam moves every row at every step, which on two cores takes longer than the rest of a small network. Most of
    what it does is to carry a row on by its momentum for ten steps and more; here the row goes all that way at once.
    """

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:  # noqa: D102
        super().apply([_summed(grad) for grad in grads], trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:  # noqa: D102
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        velocity, rows, slope = self._velocities[self._get_variable_index(variable)], gradient.indices, gradient.values
        v = self.beta_2 * tf.gather(velocity.value, rows) + (1 - self.beta_2) * slope**2
        rate = learning_rate * tf.sqrt(1 - self.beta_2 ** tf.cast(self.iterations + 1, tf.float32))
        self.assign(velocity, tf.IndexedSlices(v, rows))
        self.assign_sub(variable, tf.IndexedSlices(rate * slope / (tf.sqrt(v) + self.epsilon), rows))


def _summed(gradient: Any) -> Any:
    """A sparse gradient with each row once."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, place = tf.unique(gradient.indices)
    return tf.IndexedSlices(tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows)), rows)


def optimizer(name: Name, rate: Any, clip_norm: float) -> keras.optimizers.Optimizer:
    """The optimizer of that name; a `clip_norm` of 0 clips no gradient."""
    settings = {"learning_rate": rate, "clipnorm": clip_norm or None}
    if name == "lazy_adam":
        return LazyAdam(**settings)
    return keras.optimizers.get({"class_name": name, "config": settings})
