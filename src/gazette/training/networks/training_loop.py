"""Fitting a network: optimizer, loss, early stopping, and the learning curve."""

import contextlib
import math
import sys
from typing import Annotated, Any, Literal, Self

import keras
import numpy as np
import tensorflow as tf
from prefect_dvc.core.errors import ConfigError
from pydantic import BaseModel, Field

from gazette.training.networks import layers, optimizers
from gazette.training.networks.batches import Batches, Rows
from gazette.training.networks.family import EpochCallback, Precision

Size = Annotated[int, Field(ge=1, le=65_536)]


class Tokens(BaseModel, frozen=True, extra="forbid"):
    """Tokenizer settings of every family; `length_quantile` is a quantile of the training rows' lengths in tokens."""

    family: str
    tokens: Literal["words", "characters", "bpe"]
    vocabulary: int = Field(ge=10, le=65_536)
    min_frequency: int = Field(ge=1)
    length_quantile: float = Field(gt=0, le=1)
    max_length: int = Field(ge=1, le=65_536)
    precision: Precision = "float32"

    def bounded_by(self, train: Rows) -> Self:
        """Return params whose sizes are no larger than the training rows need; these depend on no row."""
        return self


class Params(Tokens, frozen=True, extra="forbid"):
    """Settings of the families that are trained by gradient descent."""

    optimizer: optimizers.Name
    learning_rate: float = Field(gt=0)
    schedule: Literal["constant", "cosine"]
    clipnorm: float = Field(ge=0)  # 0: gradients are not clipped
    batch_size: int = Field(ge=1, le=4096)
    epochs: int = Field(ge=1, le=1000)
    min_steps_per_epoch: int = Field(1, ge=1, le=100_000)  # a small corpus is read several times in an epoch
    patience: int = Field(ge=1)
    class_weight: Literal["balanced"] | None
    label_smoothing: float = Field(ge=0, lt=1)
    l1: float = Field(ge=0)
    l2: float = Field(ge=0)
    dropout: float = Field(ge=0, lt=1)

    def regularizer(self) -> keras.regularizers.Regularizer | None:
        """Return the L1 and L2 penalty of a layer's weights; None if both are 0, which costs nothing."""
        return keras.regularizers.L1L2(self.l1, self.l2) if self.l1 or self.l2 else None


class DeepParams(Params, frozen=True, extra="forbid"):
    """Settings of the families with hidden layers."""

    embedding: Size
    activation: layers.Activation

    def options(self) -> dict[str, Any]:
        """Return the keyword arguments that every hidden layer has: its activation and its regularizer."""
        return {"activation": layers.activation(self.activation), "kernel_regularizer": self.regularizer()}


def _loss(targets: Any, predicted: Any) -> Any:
    return targets[:, 1] * keras.losses.categorical_crossentropy(targets[:, 2:], predicted)


def _accuracy(targets: Any, predicted: Any) -> Any:
    return keras.metrics.sparse_categorical_accuracy(targets[:, 0], predicted)


class _StopAtNonFinite(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        loss = (logs or {})["loss"]
        if not math.isfinite(loss):
            raise ConfigError(
                f"the loss is {loss} after {self.model.optimizer.iterations.numpy()} steps; nothing was written. "
                "Lower learning_rate of this model in params.yaml."
            )


def _dataset(batches: Batches) -> tf.data.Dataset:
    """Return a dataset of one pass over the batches, with declared shapes so that none is traced twice."""
    signature = (tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, batches.targets.shape[1]), tf.float32))
    dataset = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=signature)
    options = tf.data.Options()
    options.autotune.enabled = False  # there is nothing to tune, and the end of a pass may wait 20 s for its thread
    return dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(2).with_options(options)


def make_deterministic(seed: int, threads: int) -> None:
    """Make everything after this call equal in every process and after any earlier fit."""
    keras.utils.clear_session()
    keras.config.set_floatx("float32")  # overrides the user's ~/.keras
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def probabilities(network: keras.Model, rows: Rows) -> np.ndarray:
    """Return class probabilities as Keras computes them, rows × classes."""
    return np.concatenate([keras.ops.convert_to_numpy(network(ids, training=False)) for ids in rows.inputs(256)])


def fit(
    network: keras.Model, params: Params, train: Rows, valid: Rows, seed: int, on_epoch: EpochCallback | None = None
) -> list[dict[str, float]]:
    """Fit `network` in place and return its learning curve, a dict per epoch; the best epoch's weights are kept.

    If the training rows have soft labels, these are learned; accuracy is still that of the labels. The best epoch is
    the first one with the highest accuracy on the validation rows. Raises ConfigError at the first non-finite loss.
    """
    classes, counts = network.output_shape[-1], np.bincount(train.labels)
    weights = len(train.labels) / (len(counts) * counts) if params.class_weight else None
    batches = Batches(train.ids, train.to_targets(classes, weights, params.label_smoothing), params.batch_size, seed)
    steps_per_epoch = max(len(batches), params.min_steps_per_epoch)
    rate: Any = params.learning_rate
    if params.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, decay_steps=params.epochs * steps_per_epoch)
    optimizer = optimizers.optimizer(params.optimizer, rate, params.clipnorm)
    return run_epochs(network, optimizer, batches, valid, params.epochs, params.patience, steps_per_epoch, on_epoch)


def run_epochs(
    network: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    batches: Batches,
    valid: Rows,
    epochs: int,
    patience: int,
    steps_per_epoch: int,
    on_epoch: EpochCallback | None = None,
) -> list[dict[str, float]]:
    """Fit as `fit` does, with a given optimizer; validation follows each `steps_per_epoch` batches."""
    accuracy = keras.metrics.MeanMetricWrapper(_accuracy, name="accuracy")
    optimizer.build(network.trainable_variables)  # else Keras does as it traces the step, which is then traced again
    network.compile(optimizer, _loss, metrics=[accuracy], jit_compile=False)
    curve: list[dict[str, float]] = []

    def record(epoch: int, logs: dict[str, float]) -> None:
        values = {f"valid_{name[4:]}" if name[:4] == "val_" else f"train_{name}": value for name, value in logs.items()}
        curve.append({"epoch": epoch + 1, **values})
        if on_epoch:
            on_epoch(curve[-1])

    callbacks = [
        _StopAtNonFinite(),
        keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=patience, restore_best_weights=True),
        keras.callbacks.LambdaCallback(on_epoch_end=record),
    ]
    progress = 1 if sys.stderr.isatty() else 2  # a bar, or a line per epoch
    with contextlib.redirect_stdout(sys.stderr):
        network.fit(
            _dataset(batches).repeat(),
            validation_data=_dataset(Batches(valid.ids, valid.to_targets(network.output_shape[-1]), batches.size)),
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            callbacks=callbacks,
            shuffle=False,  # the batches are shuffled already
            verbose=0 if on_epoch else progress,
        )
    return curve
