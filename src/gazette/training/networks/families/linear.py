"""A linear classifier on n-grams, which are hashed from neighbouring token ids inside the graph.

The problem is convex: liblinear solves it on a sparse matrix in seconds, where a Keras optimizer is still on its way
after ten epochs. The matrix holds exactly what the graph computes, so its solution is the graph's table.
"""

from typing import Any

import keras
import numpy as np
from keras import ops
from pydantic import Field
from scipy import sparse

from gazette.core.errors import Misconfigured
from gazette.training.networks import layers, solvers, training_loop

# Products stay under 2³¹ (ids < 2¹⁷, buckets ≤ 2²²): past that, ONNX's int32 remainder goes negative where TensorFlow's
# does not.
_MULTIPLIERS = {2: 16_381, 3: 509}
_SHORTEST = 1e-12  # squared, so that a text without any weight is divided by something


class Params(training_loop.Tokens, frozen=True, extra="forbid"):
    """N-grams of 1 to `ngrams` tokens, in each of two views; those of more than one share `buckets` numbers."""

    pieces: int = Field(0, ge=0, le=65_536)  # tokens of the second view, `bpe`; 0: there is none
    ngrams: int = Field(ge=1, le=3)
    buckets: int = Field(ge=1, le=1 << 22)
    min_rows: int = Field(ge=1)  # an n-gram in fewer train rows has no weight
    table_rows: int = Field(ge=1, le=1 << 21)  # the n-grams in most train rows have one each
    smoothing: float = Field(gt=0)
    class_weights: bool
    cost: float = Field(gt=0)  # of a row on the wrong side, against the squares of the weights: liblinear's C


class Joined(keras.layers.Layer):
    """Two views of a text as one: the second behind the first, past two zeros, which no n-gram crosses."""

    def __init__(self, vocabulary: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary = vocabulary

    def call(self, ids: Any, pieces: Any) -> Any:  # noqa: D102
        others = ops.where(pieces > 0, pieces + self.vocabulary, 0)
        return ops.concatenate([ids, ops.pad(others, [[0, 0], [2, 0]])], axis=1)


class NGrams(keras.layers.Layer):
    """Numbers of the n-grams that a text has, its ends as tokens of their own; 0 where there is none.

    Batch × length · orders, about: how a text begins and how it ends are pairs too.
    """

    def __init__(self, orders: int, buckets: int, vocabulary: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.orders, self.buckets, self.vocabulary = orders, buckets, vocabulary

    def call(self, ids: Any) -> Any:  # noqa: D102
        found = [ids]
        gram = ended = ops.pad(ids, [[0, 0], [1, 1]])
        count = there = ops.cast(ops.not_equal(ended, 0), "int32")
        for order in range(2, self.orders + 1):
            gram = ops.mod(gram[:, :-1] * _MULTIPLIERS[order] + ended[:, order - 1 :], self.buckets)
            count = count[:, :-1] + there[:, order - 1 :]
            found.append(ops.where(count >= order - 1, gram + self.vocabulary, 0))
        return ops.concatenate(found, axis=1)


class Places(keras.layers.Layer):
    """The row of the table that each of `size` n-grams has; row 0, which holds zeros, for those without a weight."""

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.places = self.add_weight(shape=(size,), initializer="zeros", dtype="int32", trainable=False, name="places")

    def call(self, grams: Any) -> Any:  # noqa: D102
        return ops.take(self.places, grams)


class Bias(keras.layers.Layer):
    """Adds a learned number per class."""

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bias = self.add_weight(shape=(classes,), initializer="zeros", name="bias")

    def call(self, values: Any) -> Any:  # noqa: D102
        return values + self.bias


class Direction(keras.layers.Layer):
    """Sums the weights of a text's n-grams as if the text were a vector of length 1; a row's last number is its square.

    Batch × n-grams × (classes + 1) in, batch × classes out.
    """

    def call(self, rows: Any) -> Any:  # noqa: D102
        total = ops.sum(rows, axis=1)
        return total[:, :-1] / ops.sqrt(ops.maximum(total[:, -1:], _SHORTEST))


def build(params: Params, vocabulary: int, classes: int) -> keras.Model:
    """The network: a table of a weight per n-gram and class, looked up and summed, over the text's length, softmax."""
    ids = inputs = layers.token_ids()
    if params.pieces:
        inputs = [ids, layers.token_ids("pieces")]
        ids, vocabulary = Joined(vocabulary)(*inputs), vocabulary + params.pieces
    rows = looked_up(ids, params.ngrams, params.buckets, vocabulary)
    table = keras.layers.Embedding(params.table_rows + 1, classes + 1, embeddings_initializer="zeros", name="table")
    logits = Bias(classes, name="bias")(Direction()(table(rows)))
    return keras.Model(inputs, keras.layers.Softmax(name="probabilities")(logits))


def looked_up(ids: Any, orders: int, buckets: int, vocabulary: int) -> Any:
    """The row of the table of each n-gram in token ids, for whichever family has such a table."""
    grams = NGrams(orders, buckets, vocabulary, name="ngrams")(ids)
    return Places(vocabulary + (buckets if orders > 1 else 0), name="places")(grams)


def fit(
    network: keras.Model,
    params: Params,
    train: training_loop.Rows,
    valid: training_loop.Rows,
    seed: int,
    verbose: int,
    watch: training_loop.Watch | None = None,
) -> list[dict[str, float]]:
    """Solves for the table in place and returns a learning curve of one point, the solution.

    `cost`, not an early stop, holds it back. Its scores are then multiplied by what makes their probabilities true on
    the valid rows. There is nothing to watch.
    """
    x, x_valid = matrix(network, train), matrix(network, valid)
    classes = network.output_shape[1]
    target = np.eye(classes)[train.labels] if train.targets is None else train.targets.astype(np.float64)
    kept = frequent(x, params.min_rows, params.table_rows)
    x, x_valid = x[:, kept], x_valid[:, kept]
    rows = target.sum(axis=0)
    says = solvers.informativeness(x.sign().T @ target, rows, params.smoothing)
    seen, held_out = (solvers.directions(counts, says) for counts in (x, x_valid))
    share = (len(target) / (classes * rows))[train.labels] if params.class_weights else np.ones(len(target))
    weights, bias, epochs = solvers.solve(seen, target, share, params.cost, seed)

    scores = held_out @ weights + bias
    factor = solvers.temperature(scores, valid.labels)
    _fill(network, kept, says, weights * factor, bias * factor)
    point: dict[str, float] = {"epoch": epochs}
    for split, found, labels in (("train", seen @ weights + bias, train.labels), ("valid", scores, valid.labels)):
        point[f"{split}_loss"] = solvers.surprise(found * factor, labels)
        point[f"{split}_accuracy"] = float((found.argmax(axis=1) == labels).mean())
    return [point]


def frequent(x: sparse.csr_matrix, min_rows: int, most: int) -> np.ndarray:
    """The n-grams that stand in at least `min_rows` rows, `most` of them: those in the most rows.

    Raises Misconfigured where there is none.
    """
    rows = np.bincount(x.indices, minlength=x.shape[1])
    often = np.argsort(-rows, kind="stable")[:most]
    kept = np.sort(often[rows[often] >= min_rows])
    if not len(kept):
        raise Misconfigured(
            f"no n-gram stands in {min_rows} of the {x.shape[0]} train rows, so there is nothing to learn from: lower "
            "min_rows of this model in params.yaml"
        )
    return kept


def place(network: keras.Model, kept: np.ndarray) -> None:
    """Gives each of these n-grams its row of the table, from 1 on in their order."""
    layer = network.get_layer("places")
    places = layer.get_weights()[0]
    places[kept] = np.arange(1, len(kept) + 1)
    layer.set_weights([places])


def _fill(network: keras.Model, kept: np.ndarray, says: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> None:
    """Squares and weights are put on one scale, which changes no answer: eight bits must hold both."""
    place(network, kept)
    table = network.get_layer("table").get_weights()[0]
    weights, squares = says[:, None] * weights, says[:, None] ** 2
    scale = np.abs(weights).max(initial=1e-9) / squares.max(initial=1e-9)
    table[1 : len(kept) + 1] = np.hstack([weights * scale, squares * scale**2])
    for name, value in (("table", table), ("bias", bias)):
        network.get_layer(name).set_weights([value])


def matrix(network: keras.Model, rows: training_loop.Rows) -> sparse.csr_matrix:
    """How often each n-gram stands in each row, as the graph counts them."""
    blocks = []
    ngrams = keras.Model(network.input, network.get_layer("ngrams").output)
    size = len(network.get_layer("places").get_weights()[0])
    for inputs in rows.inputs(1024):
        grams = ops.convert_to_numpy(ngrams(inputs))
        row, column = np.nonzero(grams)
        blocks.append(sparse.csr_matrix((np.ones(len(row)), (row, grams[row, column])), (len(grams), size)))
    return sparse.vstack(blocks, "csr")
