"""The optimizers that params.yaml can name, Keras' and a lazy Adam."""

from typing import Any, Literal

import keras
import tensorflow as tf

Name = Literal["sgd", "adagrad", "adam", "lazy_adam", "adamw", "rmsprop"]


class LazyAdam(keras.optimizers.Adam):
    """Adam that updates only the embedding rows that a batch reads.

    Keras' Adam updates every row at every step, which on two cores takes longer than the rest of a small network. Most
    of that work moves a row by its momentum over ten or more steps; here the row moves the whole way at once.
    """

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:  # noqa: D102
        super().apply([_sum_duplicates(grad) for grad in grads], trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:  # noqa: D102
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        velocity, rows, slope = self._velocities[self._get_variable_index(variable)], gradient.indices, gradient.values
        v = self.beta_2 * tf.gather(velocity.value, rows) + (1 - self.beta_2) * slope**2
        rate = learning_rate * tf.sqrt(1 - self.beta_2 ** tf.cast(self.iterations + 1, tf.float32))
        self.assign(velocity, tf.IndexedSlices(v, rows))
        self.assign_sub(variable, tf.IndexedSlices(rate * slope / (tf.sqrt(v) + self.epsilon), rows))


def _sum_duplicates(gradient: Any) -> Any:
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, segments = tf.unique(gradient.indices)
    return tf.IndexedSlices(tf.math.unsorted_segment_sum(gradient.values, segments, tf.size(rows)), rows)


def optimizer(name: Name, rate: Any, clipnorm: float) -> keras.optimizers.Optimizer:
    """Return the optimizer of that name; a `clipnorm` of 0 disables clipping."""
    settings = {"learning_rate": rate, "clipnorm": clipnorm or None}
    if name == "lazy_adam":
        return LazyAdam(**settings)
    return keras.optimizers.get({"class_name": name, "config": settings})
