"""Keras' LSTM with faster training on a CPU; weights and predictions are those of any LSTM."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("gazette")  # Bidirectional clones the layer by its name
class LSTM(keras.layers.LSTM):
    """`keras.layers.LSTM` with its own training pass on a CPU.

    Keras computes forward and backward passes step by step. Here a step computes only what depends on the previous one,
    a small matrix product; the input projection of all steps and the weights' gradient are one large product each. On a
    GPU, and with an activation other than tanh, Keras' implementation is used.
    """

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:  # noqa: D102
        tanh = self.activation is keras.activations.tanh
        if not training or mask is None or initial_state is not None or not tanh or _has_gpu():
            return super().call(sequences, initial_state, mask, training)
        lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)  # padding is at the end, so no step sees it
        if self.go_backwards:
            sequences = tf.reverse_sequence(sequences, lengths, seq_axis=1)
        gates = tf.transpose(tf.tensordot(sequences, self.cell.kernel.value, 1) + self.cell.bias.value, (1, 0, 2))
        states = tf.transpose(_states(gates, tf.convert_to_tensor(self.cell.recurrent_kernel.value)), (1, 0, 2))
        if self.return_sequences and self.go_backwards:  # as Keras returns it: padding first, then the last token
            return tf.reverse(tf.reverse_sequence(states, lengths, seq_axis=1), [1])
        if self.return_sequences:
            return states
        last = tf.gather(states, tf.maximum(lengths - 1, 0), axis=1, batch_dims=1)
        return last * tf.cast(lengths > 0, tf.float32)[:, None]


def _has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _states(gates: Any, kernel: Any) -> Any:
    """Return the states after each step (steps × batch × units) from the projected inputs, and their gradient.

    The gates are in Keras' order: input, forget, candidate, output.
    """
    steps, units = tf.shape(gates)[0], kernel.shape[0]
    zeros = tf.zeros((tf.shape(gates)[1], units))

    def array(width: int) -> tf.TensorArray:
        return tf.TensorArray(tf.float32, steps, element_shape=(None, width))

    def forward(step: Any, state: Any, cell: Any, *history: Any) -> Any:
        i, f, g, o = tf.split(gates[step] + state @ kernel, 4, axis=1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        cell = f * cell + i * g
        activated = tf.tanh(cell)
        state = o * activated
        values = (tf.concat([i, f, g, o, activated], axis=1), cell, state)
        return step + 1, state, cell, *(array.write(step, value) for array, value in zip(history, values, strict=True))

    arrays = (array(5 * units), array(units), array(units))
    _, _, _, *history = tf.while_loop(lambda step, *_: step < steps, forward, (0, zeros, zeros, *arrays))
    activations, cells, states = (array.stack() for array in history)

    def gradient(upstream: Any) -> Any:
        i, f, g, o, activated = tf.split(activations, 5, axis=2)
        to_cell, to_output = o * (1 - activated**2), activated * o * (1 - o)
        to_gates = tf.concat([g * i * (1 - i), _before(cells) * f * (1 - f), i * (1 - g**2)], axis=2)
        transposed = tf.transpose(kernel)

        def backward(step: Any, state: Any, cell: Any, slopes: Any) -> Any:
            state += upstream[step]
            cell += state * to_cell[step]
            slope = tf.concat([tf.tile(cell, (1, 3)) * to_gates[step], state * to_output[step]], axis=1)
            return step - 1, slope @ transposed, cell * f[step], slopes.write(step, slope)

        *_, slopes = tf.while_loop(lambda step, *_: step >= 0, backward, (steps - 1, zeros, zeros, array(4 * units)))
        gradients = slopes.stack()
        return gradients, tf.tensordot(_before(states), gradients, ((0, 1), (0, 1)))

    return states, gradient


def _before(values: Any) -> Any:
    """Shift the values by one step; the first step gets zeros."""
    return tf.concat([tf.zeros_like(values[:1]), values[:-1]], axis=0)
