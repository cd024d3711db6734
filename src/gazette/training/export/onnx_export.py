"""Export of a Keras network to canonical ONNX."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import keras
import onnx
import tensorflow as tf
import tf2onnx.convert
from prefect_dvc.core.errors import ConfigError

from gazette.training.export.canonical import canonical
from gazette.training.networks.ngrams import FeatureLookup


def export(model: keras.Model, path: Path) -> None:
    """Write `model` to `path` as canonical ONNX.

    The inputs are token ids, int32 of shape (batch, length), with the model's own names; the output is float32 of shape
    (batch, classes), called `probabilities`.

    Raises ConfigError if the network uses an operation that ONNX lacks.
    """
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # the checker below reports the same errors
    os.environ["TF2ONNX_CATCH_ERRORS"] = "no"  # else it copies the graph, weights included, before each of its passes

    readers = [layer for layer in model.layers if isinstance(layer, keras.layers.Embedding | FeatureLookup)]
    # Each pass of tf2onnx copies every constant, which takes four times as long as all the rest for the table of
    # `linear`. So the tables are inputs as it converts: an input has no value to copy.
    tables = {f"table_{number}": layer.variables[0] for number, layer in enumerate(readers)}
    inputs = {tensor.name: tensor for tensor in model.inputs}

    def predict(*values: tf.Tensor) -> tf.Tensor:
        ids = values[: len(inputs)]
        with keras.StatelessScope(list(zip(tables.values(), values[len(inputs) :], strict=True))):
            return model(ids if len(ids) > 1 else ids[0], training=False)

    signature = [tf.TensorSpec(value.shape, value.dtype, name) for name, value in (inputs | tables).items()]
    exported, _ = tf2onnx.convert.from_function(tf.function(predict, signature, autograph=False), signature)
    constants = {name: table.value.numpy() for name, table in tables.items()}
    form = canonical(exported, [*inputs], constants).SerializeToString(deterministic=True)
    try:
        onnx.checker.check_model(form)
    except onnx.checker.ValidationError as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"The network cannot be written as ONNX: {reason}. "
            "Use another layer or activation (for gelu: its approximation)."
        ) from error
    path.write_bytes(form)
