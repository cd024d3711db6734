"""Export of a Keras network to canonical ONNX."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from prefect_dvc.core.errors import ConfigError

from gazette.training.export.canonical import canonical

if TYPE_CHECKING:
    import keras


def export(model: keras.Model, path: Path) -> None:
    """Write `model` to `path` as canonical ONNX.

    The inputs are token ids, int32 of shape (batch, length), with the model's own names; the output is float32 of shape
    (batch, classes), called `probabilities`.

    Raises ConfigError if the network uses an operation that ONNX lacks.
    """
    ids = [np.ones((1, tensor.shape[1] or 16), np.int32) for tensor in model.inputs]
    model(ids if len(ids) > 1 else ids[0])  # Keras exports only a model that has been called
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # the checker below reports the same errors
    os.environ["TF2ONNX_CATCH_ERRORS"] = "no"  # else it copies the graph, weights included, before each of its passes

    with tempfile.TemporaryDirectory(dir=path.parent) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Keras uses a deprecated name of numpy
        model.export(Path(folder, "exported.onnx"), format="onnx", verbose=False)
        exported = onnx.load(Path(folder, "exported.onnx"))
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
