"""A linear SVM on hashed n-grams, computed inside the graph.

The problem is convex: liblinear solves it on a sparse matrix in seconds, where a Keras optimizer has not converged
after ten epochs. The matrix holds exactly what the graph computes, so its solution is the graph's table.
"""

from typing import Any, Literal

import keras
import numpy as np
from keras import ops
from pydantic import Field
from scipy import sparse

from gazette.core.arrays import Array
from gazette.training.networks import layers, solvers, training_loop
from gazette.training.networks.batches import Rows
from gazette.training.networks.family import EpochCallback
from gazette.training.networks.ngrams import NgramParams, fill_rows, frequent_ngrams, ngram_matrix, ngram_rows

_MIN_SQUARE = 1e-12  # avoids division by zero for a text without features


class Params(NgramParams, training_loop.Tokens, frozen=True, extra="forbid"):
    """N-grams of one or two views: tokens and, with a `subword_vocabulary`, subwords."""

    subword_vocabulary: int = Field(0, ge=0, le=65_536)  # tokens of the second view, `bpe`; 0: none
    class_weight: Literal["balanced"] | None
    C: float = Field(gt=0)  # of LinearSVC


class ConcatViews(keras.layers.Layer):
    """Concatenates two views of a text, separated by two zeros so that no n-gram spans both."""

    def __init__(self, vocabulary: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary = vocabulary

    def call(self, ids: Any, pieces: Any) -> Any:  # noqa: D102
        shifted = ops.where(pieces > 0, pieces + self.vocabulary, 0)
        return ops.concatenate([ids, ops.pad(shifted, [[0, 0], [2, 0]])], axis=1)


class Bias(keras.layers.Layer):
    """Adds a learned number per class."""

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bias = self.add_weight(shape=(classes,), initializer="zeros", name="bias")

    def call(self, values: Any) -> Any:  # noqa: D102
        return values + self.bias


class NormalizedSum(keras.layers.Layer):
    """Sums feature weights and divides by the L2 norm; the last column holds squared feature weights.

    Batch × n-grams × (classes + 1) in, batch × classes out.
    """

    def call(self, rows: Any) -> Any:  # noqa: D102
        total = ops.sum(rows, axis=1)
        return total[:, :-1] / ops.sqrt(ops.maximum(total[:, -1:], _MIN_SQUARE))


def build(params: Params, vocabulary: int, classes: int) -> keras.Model:
    """Build the network: the weights of a text's n-grams, summed, divided by the L2 norm, softmax."""
    ids = inputs = layers.token_ids()
    if params.subword_vocabulary:
        inputs = [ids, layers.token_ids("pieces")]
        ids, vocabulary = ConcatViews(vocabulary)(*inputs), vocabulary + params.subword_vocabulary
    rows = ngram_rows(ids, params, vocabulary)
    table = keras.layers.Embedding(params.max_features + 1, classes + 1, embeddings_initializer="zeros", name="table")
    logits = Bias(classes, name="bias")(NormalizedSum()(table(rows)))
    return keras.Model(inputs, keras.layers.Softmax(name="probabilities")(logits))


def fit(
    network: keras.Model, params: Params, train: Rows, valid: Rows, seed: int, on_epoch: EpochCallback | None = None
) -> list[dict[str, float]]:
    """Solve for the table in place; `on_epoch` is not called."""
    return solve(network, params, train, valid, seed)


def solve(
    network: keras.Model,
    params: Params,
    train: Rows,
    valid: Rows,
    seed: int,
    vectors: Array | None = None,
    vector_length: float = 1.0,
) -> list[dict[str, float]]:
    """Solve for the table in place and return a learning curve of one point, the solution.

    Regularized by `C` instead of early stopping, and calibrated by a temperature on the validation rows. With `vectors`
    (tokens × dimensions), the sum of a text's vectors, of `vector_length` in the mean, stands beside its n-grams; both
    are linear in what the text contains, so one table holds the solution. Two views are solved for one by one, and
    their scores added.
    """
    views = [ngram_matrix(network, view) for view in train.views()]
    x, x_valid = sum(views[1:], views[0]), ngram_matrix(network, valid)
    classes = network.output_shape[1]
    targets = np.eye(classes)[train.labels] if train.soft_labels is None else train.soft_labels.astype(np.float64)
    features = frequent_ngrams(x if vectors is None else _with_all_tokens(x, len(vectors)), params)
    x, x_valid = x[:, features], x_valid[:, features]
    class_rows = targets.sum(axis=0)
    feature_weights = solvers.term_weights(x.sign().T @ targets, class_rows, params.smoothing)
    columns = sparse.diags(feature_weights)
    if vectors is not None:
        tokens = features[features < len(vectors)]
        added = sparse.csr_matrix(vectors[tokens].astype(np.float64))
        added.resize((len(features), added.shape[1]))
        squares = solvers.l2_normalize(x, feature_weights, added).power(2).sum() / x.shape[0]
        columns = sparse.hstack([columns, added * (vector_length / np.sqrt(squares))])
    parts = [solvers.l2_normalize(view[:, features], feature_weights, columns, x) for view in views]
    x, x_valid = (solvers.l2_normalize(counts, feature_weights, columns) for counts in (x, x_valid))
    row_weights = np.ones(len(targets))
    if params.class_weight:
        row_weights = (len(targets) / (classes * class_rows))[train.labels]
    weights, bias, epochs = solvers.solve_parts(parts, targets, row_weights, params.C, seed)

    scores = x_valid @ weights + bias
    factor = solvers.fit_temperature(scores, valid.labels)
    fill_rows(network, features, "table", _table(feature_weights, columns @ (weights * factor)))
    network.get_layer("bias").set_weights([bias * factor])
    point: dict[str, float] = {"epoch": epochs}
    for split, logits, labels in (("train", x @ weights + bias, train.labels), ("valid", scores, valid.labels)):
        point[f"{split}_loss"] = solvers.cross_entropy(logits * factor, labels)
        point[f"{split}_accuracy"] = float((logits.argmax(axis=1) == labels).mean())
    return [point]


def _with_all_tokens(x: sparse.csr_matrix, tokens: int) -> sparse.csr_matrix:
    """Return the rows and one with every token, so that a token of no row is among the features with `min_df` 1."""
    return sparse.vstack([x, sparse.csr_matrix(np.arange(x.shape[1]) < tokens, dtype=x.dtype)], "csr")


def _table(feature_weights: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the rows of the table; weights and squares share one scale, so that eight bits can hold both."""
    squares = feature_weights[:, None] ** 2
    scale = np.abs(weights).max(initial=1e-9) / squares.max(initial=1e-9)
    return np.hstack([weights * scale, squares * scale**2])
