"""A linear classifier on n-grams, which are hashed from neighbouring token ids inside the graph.

The problem is convex: L-BFGS solves it on a sparse matrix in seconds, where a Keras optimizer is still on its way after
ten epochs. The matrix holds exactly what the graph computes, so its solution is the graph's table.
"""

from typing import Any

import keras
import numpy as np
from keras import ops
from pydantic import Field
from scipy import sparse
from threadpoolctl import threadpool_limits

from gazette.networks import fitting, layers, solving

# Products stay under 2³¹ (ids < 2¹⁶, buckets ≤ 2²⁰): past that, ONNX's int32 remainder goes negative where TensorFlow's
# does not.
_MULTIPLIERS = {2: 31_337, 3: 2_039}
_NORM = 0.5
_SPECIAL = 2  # ids of padding and the unknown, which have no letters


class Params(fitting.Tokens, frozen=True, extra="forbid"):
    """N-grams of 1 to `ngrams` tokens; those of more than one share `buckets` numbers."""

    ngrams: int = Field(ge=1, le=3)
    buckets: int = Field(ge=1, le=1 << 20)
    min_rows: int = Field(ge=1)  # an n-gram in fewer train rows has no weight
    table_rows: int = Field(ge=1, le=1 << 21)  # the n-grams in most train rows have one each
    letters: float = Field(ge=0)  # how much the n-grams of a word's letters may say, against 1 for the word
    smoothing: float = Field(gt=0)
    class_weights: bool
    loss: solving.Loss
    l2: float = Field(ge=0)
    iterations: int = Field(ge=1, le=10_000)


class NGrams(keras.layers.Layer):
    """Numbers of the n-grams that end at each token; 0 where there is none. Batch × length · orders."""

    def __init__(self, orders: int, buckets: int, vocabulary: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.orders, self.buckets, self.vocabulary = orders, buckets, vocabulary

    def call(self, ids: Any) -> Any:  # noqa: D102
        found, gram = [ids], ids
        for order in range(2, self.orders + 1):
            before = ops.pad(gram, [[0, 0], [1, 0]])[:, :-1]
            gram = ops.mod(before * _MULTIPLIERS[order] + ids, self.buckets)
            first = ops.pad(ids, [[0, 0], [order - 1, 0]])[:, : -(order - 1)]
            whole = ops.logical_and(ops.not_equal(ids, 0), ops.not_equal(first, 0))
            found.append(ops.where(whole, gram + self.vocabulary, 0))
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


def build(params: Params, vocabulary: int, classes: int) -> keras.Model:
    """The network: a table of a weight per n-gram and class, looked up, summed over √count, softmax."""
    ids = layers.token_ids()
    grams = NGrams(params.ngrams, params.buckets, vocabulary, name="ngrams")(ids)
    size = vocabulary + (params.buckets if params.ngrams > 1 else 0)
    rows = Places(size, name="places")(grams)
    values = keras.layers.Embedding(params.table_rows + 1, classes, embeddings_initializer="zeros", name="table")(rows)
    logits = Bias(classes, name="bias")(layers.MaskedSum(_NORM)(values, grams))
    return keras.Model(ids, keras.layers.Softmax(name="probabilities")(logits))


def fit(
    network: keras.Model,
    params: Params,
    train: fitting.Rows,
    valid: fitting.Rows,
    seed: int,
    verbose: int,
    watch: fitting.Watch | None = None,
) -> list[dict[str, float]]:
    """Solves for the table in place and returns the learning curve, a dict per iteration of L-BFGS.

    The last iterate is kept, the solution of the problem; `l2`, not an early stop, holds it back. Its scores are then
    multiplied by what makes their probabilities true on the valid rows. Nothing is drawn, so `seed` changes nothing.
    The curve says little before its end, so `watch` is not asked.
    """
    x, x_valid = matrix(network, train), matrix(network, valid)
    target = np.eye(network.output_shape[1])[train.labels] if train.targets is None else train.targets
    kept = frequent(x, params.min_rows, params.table_rows)
    x, x_valid = x[:, kept], x_valid[:, kept]
    share = np.full((len(target), 1), 1 / len(target))
    if params.class_weights:
        share = (1 / (target.shape[1] * target.sum(axis=0)))[train.labels, None]
    words = [train.tokens[number] for number in kept if _SPECIAL <= number < len(train.tokens)]
    skipped = int((kept < _SPECIAL).sum())
    problem = solving.Problem(x, _made_of(x, target, words, skipped, params), target, share)

    curve: list[dict[str, float]] = []
    answers = np.eye(target.shape[1])[valid.labels]

    def note(weights: np.ndarray, bias: np.ndarray, value: float, scores: np.ndarray) -> None:
        held_out = x_valid @ weights + bias
        lost, _ = solving.LOSSES[params.loss](held_out, answers, np.full((len(answers), 1), 1 / len(answers)))
        point = {
            "train_loss": value,
            "train_accuracy": (scores.argmax(1) == train.labels).mean(),
            "valid_loss": lost,
            "valid_accuracy": (held_out.argmax(1) == valid.labels).mean(),
        }
        curve.append({"epoch": len(curve) + 1} | {key: float(number) for key, number in point.items()})

    with threadpool_limits(1):  # two threads of BLAS add in another order than one
        weights, bias = solving.solve(problem, params.loss, params.l2, params.iterations, note)
    factor = solving.temperature(x_valid @ weights + bias, valid.labels)
    _fill(network, kept, weights * factor, bias * factor)
    return curve


def frequent(x: sparse.csr_matrix, min_rows: int, most: int) -> np.ndarray:
    """The n-grams that stand in at least `min_rows` rows, `most` of them: those in the most rows."""
    rows = np.bincount(x.indices, minlength=x.shape[1])
    often = np.argsort(-rows, kind="stable")[:most]
    return np.sort(often[rows[often] >= min_rows])


def place(network: keras.Model, kept: np.ndarray) -> None:
    """Gives each of these n-grams its row of the table, from 1 on in their order."""
    layer = network.get_layer("places")
    places = layer.get_weights()[0]
    places[kept] = np.arange(1, len(kept) + 1)
    layer.set_weights([places])


def _made_of(
    x: sparse.csr_matrix, target: np.ndarray, words: list[str], skipped: int, params: Params
) -> sparse.csr_matrix:
    """What an n-gram's weight is the sum of: one of its own and, for a word, those of its letters' n-grams.

    The latter are shared between words and cost nothing at prediction, where only the sum is left.
    """
    rows, per_class = target.sum(axis=0), x.sign().T @ target
    own = sparse.diags(solving.informativeness(per_class, rows, params.smoothing))
    if not params.letters or not words:
        return own.tocsr()
    grams = solving.letters(words)
    place = slice(skipped, skipped + len(words))
    may_say = params.letters * solving.informativeness(grams.T @ per_class[place], rows, params.smoothing)
    empty = [sparse.csr_matrix((count, grams.shape[1])) for count in (skipped, x.shape[1] - place.stop)]
    shared = sparse.vstack([empty[0], grams @ sparse.diags(may_say), empty[1]])
    return sparse.hstack([own, shared], "csr")


def _fill(network: keras.Model, kept: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> None:
    place(network, kept)
    table = network.get_layer("table").get_weights()[0]
    table[1 : len(kept) + 1] = weights
    for name, value in (("table", table), ("bias", bias)):
        network.get_layer(name).set_weights([value])


def matrix(network: keras.Model, rows: fitting.Rows) -> sparse.csr_matrix:
    """What the graph sums for each row: how often each n-gram stands in it, over √ of how many there are."""
    blocks = []
    ngrams, size = network.get_layer("ngrams"), len(network.get_layer("places").get_weights()[0])
    for start in range(0, len(rows.ids), 1024):
        grams = ops.convert_to_numpy(ngrams(fitting.padded(rows.ids[start : start + 1024])))
        row, column = np.nonzero(grams)
        found = np.bincount(row, minlength=len(grams)).clip(min=1)
        blocks.append(sparse.csr_matrix((found[row] ** -_NORM, (row, grams[row, column])), (len(grams), size)))
    return sparse.vstack(blocks, "csr")
