"""Fitting a network: batches of like length, the optimizer, early stopping, the learning curve."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import keras
import numpy as np
import tensorflow as tf
from pydantic import BaseModel, Field

from gazette.core.errors import Misconfigured
from gazette.training.networks import optimizers


class Tokens(BaseModel, frozen=True, extra="forbid"):
    """What every family has: how its texts are cut. A length is in tokens, `length_quantile` one of the train rows'."""

    family: str
    tokens: Literal["words", "characters", "bpe"]
    vocabulary: int = Field(ge=10, le=65_536)
    min_count: int = Field(ge=1)
    length_quantile: float = Field(gt=0, le=1)
    length_cap: int = Field(ge=1, le=65_536)
    precision: Literal["float32", "int8"] = "float32"  # of the bundle; what is learned is float32


class Params(Tokens, frozen=True, extra="forbid"):
    """What the families have that are fitted step by step."""

    optimizer: optimizers.Name
    learning_rate: float = Field(gt=0)
    schedule: Literal["constant", "cosine"]
    clip_norm: float = Field(ge=0)  # 0: gradients are not clipped
    batch: int = Field(ge=1, le=4096)
    epochs: int = Field(ge=1, le=1000)
    patience: int = Field(ge=1)
    class_weights: bool
    label_smoothing: float = Field(ge=0, lt=1)
    l1: float = Field(ge=0)
    l2: float = Field(ge=0)
    dropout: float = Field(ge=0, lt=1)

    def regularizer(self) -> keras.regularizers.Regularizer | None:
        """L1 and L2 on the weights that this is given to; None where both are 0, which costs nothing."""
        return keras.regularizers.L1L2(self.l1, self.l2) if self.l1 or self.l2 else None


Watch = Callable[[dict[str, float]], None]  # is shown each point of a learning curve as it is made
_CURVE = {
    "loss": "train_loss",
    "accuracy": "train_accuracy",
    "val_loss": "valid_loss",
    "val_accuracy": "valid_accuracy",
}
Size = Annotated[int, Field(ge=1, le=65_536)]


@dataclass(frozen=True)
class Rows:
    """Encoded articles: the token ids of each, cut to the maximum length, and the number of its label.

    `targets` (float32, rows × classes) are the probabilities to learn in place of the labels: those of a teacher, say.
    `pieces` are the articles in a second view, for a network that has an input for it.
    """

    ids: list[np.ndarray]
    labels: np.ndarray
    targets: np.ndarray | None = None
    pieces: list[np.ndarray] | None = None

    def inputs(self, size: int) -> Iterator[np.ndarray | list[np.ndarray]]:
        """What a network is given, `size` rows at a time and in their order."""
        for rows in (slice(start, start + size) for start in range(0, len(self.ids), size)):
            yield padded(self.ids[rows]) if self.pieces is None else [padded(self.ids[rows]), padded(self.pieces[rows])]

    def answers(self, classes: int, weights: np.ndarray | None = None, smoothing: float = 0.0) -> np.ndarray:
        """What a network is fitted to, a row each: its label, its weight in the loss, a probability per class.

        `smoothing` is the share of each row's probability that all classes have in equal parts.
        """
        targets = np.eye(classes)[self.labels] if self.targets is None else self.targets
        targets = (1 - smoothing) * targets + smoothing / classes
        share = np.ones(len(self.labels)) if weights is None else weights[self.labels]
        return np.column_stack([self.labels, share, targets]).astype(np.float32)


def padded(ids: list[np.ndarray], multiple: int = 8) -> np.ndarray:
    """Token ids as one int32 array, each text padded with 0 to the longest, rounded up so that few shapes occur."""
    longest = max(max(len(text) for text in ids), 1)
    array = np.zeros((len(ids), multiple * math.ceil(longest / multiple)), np.int32)
    for row, text in zip(array, ids, strict=True):
        row[: len(text)] = text
    return array


class Batches:
    """Rows in batches of like length, shuffled anew at each reading from one seed; without one, from short to long."""

    POOL = 32  # batches that are sorted by length together: enough to pad little, few enough to stay mixed

    def __init__(self, ids: list[np.ndarray], answers: np.ndarray, size: int, seed: int | None = None) -> None:
        self.ids, self.answers, self.size = ids, answers, size
        self.random = None if seed is None else np.random.default_rng(seed)
        self.lengths = np.array([len(text) for text in ids])

    def __len__(self) -> int:
        return math.ceil(len(self.lengths) / self.size)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for batch in self._order():
            yield padded([self.ids[row] for row in batch]), self.answers[batch]

    def _order(self) -> list[np.ndarray]:
        if self.random is None:
            return list(_chunks(np.argsort(self.lengths, kind="stable"), self.size))
        pools = _chunks(self.random.permutation(len(self.lengths)), self.size * self.POOL)
        ordered = (pool[np.argsort(self.lengths[pool], kind="stable")] for pool in pools)
        batches = [batch for pool in ordered for batch in _chunks(pool, self.size)]
        return [batches[place] for place in self.random.permutation(len(batches))]

    def dataset(self) -> tf.data.Dataset:
        """The same for Keras, which reads it once an epoch; shapes are declared, so that none is traced twice."""
        signature = (tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, self.answers.shape[1]), tf.float32))
        dataset = tf.data.Dataset.from_generator(lambda: iter(self), output_signature=signature)
        return dataset.apply(tf.data.experimental.assert_cardinality(len(self))).prefetch(2)


def _chunks(order: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (order[start : start + size] for start in range(0, len(order), size))


def _loss(answers: Any, found: Any) -> Any:
    return answers[:, 1] * keras.losses.categorical_crossentropy(answers[:, 2:], found)


def _accuracy(answers: Any, found: Any) -> Any:
    return keras.metrics.sparse_categorical_accuracy(answers[:, 0], found)


class _StopAtNonFinite(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        loss = (logs or {})["loss"]
        if not math.isfinite(loss):
            raise Misconfigured(
                f"the loss is {loss} after {self.model.optimizer.iterations.numpy()} steps; nothing was written. "
                "Lower learning_rate of this model in params.yaml."
            )


class _Watched(keras.callbacks.Callback):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.watch({"epoch": epoch + 1, **{_CURVE[key]: value for key, value in (logs or {}).items()}})


def fix(seed: int, threads: int) -> None:
    """Makes what follows the same in every process and after any other fit: one seed, ordered operations, threads."""
    keras.utils.clear_session()
    keras.config.set_floatx("float32")  # whatever the user's own ~/.keras says
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def probabilities(network: keras.Model, rows: Rows) -> np.ndarray:
    """Class probabilities as Keras computes them, rows × classes."""
    return np.concatenate([keras.ops.convert_to_numpy(network(ids, training=False)) for ids in rows.inputs(256)])


def fit(
    network: keras.Model,
    params: Params,
    train: Rows,
    valid: Rows,
    seed: int,
    verbose: int,
    watch: Watch | None = None,
) -> list[dict[str, float]]:
    """Fits `network` in place and returns its learning curve, a dict per epoch; the best epoch's weights are kept.

    Where the train rows have `targets`, these are learned; accuracy is that of the labels all the same. The best epoch
    is the first one with the highest accuracy on the valid rows. `watch` is shown each epoch. Raises Misconfigured at
    the first loss that is not finite.
    """
    classes, counts = network.output_shape[-1], np.bincount(train.labels)
    weights = len(train.labels) / (len(counts) * counts) if params.class_weights else None
    batches = Batches(train.ids, train.answers(classes, weights, params.label_smoothing), params.batch, seed)
    rate: Any = params.learning_rate
    if params.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, decay_steps=params.epochs * len(batches))
    optimizer = optimizers.optimizer(params.optimizer, rate, params.clip_norm)
    return descend(network, optimizer, batches, valid, params.epochs, params.patience, verbose, watch)


def descend(
    network: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    batches: Batches,
    valid: Rows,
    epochs: int,
    patience: int,
    verbose: int,
    watch: Watch | None = None,
    steps: int | None = None,
) -> list[dict[str, float]]:
    """As `fit`, by an optimizer that is made; an epoch is all batches or, where said, as many `steps`."""
    network.compile(
        optimizer=optimizer,
        loss=_loss,
        metrics=[keras.metrics.MeanMetricWrapper(_accuracy, name="accuracy")],
        jit_compile=False,
    )
    history = network.fit(
        batches.dataset().repeat() if steps else batches.dataset(),
        validation_data=Batches(valid.ids, valid.answers(network.output_shape[-1]), batches.size).dataset(),
        epochs=epochs,
        steps_per_epoch=steps,
        callbacks=[
            _StopAtNonFinite(),
            keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=patience, restore_best_weights=True),
            *([_Watched(watch)] if watch else []),
        ],
        shuffle=False,  # the batches are
        verbose=verbose,
    )
    columns = {_CURVE[key]: values for key, values in history.history.items()}
    return [
        {"epoch": epoch, **dict(zip(columns, row, strict=True))}
        for epoch, row in enumerate(zip(*columns.values(), strict=True), 1)
    ]
