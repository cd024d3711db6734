"""Export of a Keras network to canonical ONNX."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from onnx.numpy_helper import from_array
from prefect_dvc.core.errors import ConfigError

from gazette.training.export.canonical import canonical
from gazette.training.networks.ngrams import FeatureLookup


class WithTables(keras.Model):
    """A network and, as inputs beside its own, the tables that it reads rows of.

    Each pass of tf2onnx copies every constant, which takes four times as long as all the rest for the table of
    `linear`; an input has no value to copy.
    """

    def __init__(self, network: keras.Model, tables: list[keras.Variable]) -> None:
        super().__init__()
        self.network, self.tables = network, tables

    def call(self, inputs: list[Any]) -> Any:  # noqa: D102
        ids, values = inputs[: len(self.network.inputs)], inputs[len(self.network.inputs) :]
        with keras.StatelessScope(list(zip(self.tables, values, strict=True))):
            return self.network(ids if len(ids) > 1 else ids[0], training=False)


def export(model: keras.Model, path: Path) -> None:
    """Write `model` to `path` as canonical ONNX.

    The inputs are token ids, int32 of shape (batch, length), with the model's own names; the output is float32 of shape
    (batch, classes), called `probabilities`.

    Raises ConfigError if the network uses an operation that ONNX lacks.
    """
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # the checker below reports the same errors
    os.environ["TF2ONNX_CATCH_ERRORS"] = "no"  # else it copies the graph, weights included, before each of its passes

    readers = [layer for layer in model.layers if isinstance(layer, keras.layers.Embedding | FeatureLookup)]
    tables = {f"table_{number}": layer.variables[0] for number, layer in enumerate(readers)}
    ids = [np.ones((1, tensor.shape[1] or 16), np.int32) for tensor in model.inputs]
    network = WithTables(model, list(tables.values()))
    network(ids + network.tables)  # Keras exports only a model that has been called
    inputs = {tensor.name: tensor for tensor in model.inputs} | tables
    signature = [keras.InputSpec(shape=value.shape, dtype=value.dtype, name=name) for name, value in inputs.items()]
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Keras uses a deprecated name of numpy
        network.export(Path(folder, "exported.onnx"), format="onnx", verbose=False, input_signature=[signature])
        exported = onnx.load(Path(folder, "exported.onnx"))
    for value in [value for value in exported.graph.input if value.name in tables]:
        exported.graph.input.remove(value)
        exported.graph.initializer.append(from_array(tables[value.name].value.numpy(), value.name))
    form = canonical(exported, [tensor.name for tensor in model.inputs])
    try:
        onnx.checker.check_model(form)
    except onnx.checker.ValidationError as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"The network cannot be written as ONNX: {reason}. "
            "Use another layer or activation (for gelu: its approximation)."
        ) from error
    path.write_bytes(form.SerializeToString(deterministic=True))
