"""Multinomial logistic regression on n-grams, which are hashed from neighbouring token ids inside the graph.

The problem is convex: L-BFGS solves it on a sparse matrix in seconds, where a Keras optimizer is still on its way after
ten epochs. The matrix holds exactly what the graph computes, so its solution is the graph's table.
"""

from typing import Any

import keras
import numpy as np
from keras import ops
from pydantic import Field
from scipy import optimize, sparse, special
from threadpoolctl import threadpool_limits

from gazette.networks import fitting, layers

# Products stay under 2³¹ (ids < 2¹⁶, buckets ≤ 2²⁰): past that, ONNX's int32 remainder goes negative where TensorFlow's
# does not.
_MULTIPLIERS = {2: 31_337, 3: 2_039}
_NORM = 0.5


class Params(fitting.Tokens, frozen=True, extra="forbid"):
    """N-grams of 1 to `ngrams` tokens; those of more than one share `buckets` rows of the table."""

    ngrams: int = Field(ge=1, le=3)
    buckets: int = Field(ge=1, le=1 << 20)
    min_rows: int = Field(ge=1)  # an n-gram in fewer train rows has no weight
    smoothing: float = Field(gt=0)
    class_weights: bool
    l2: float = Field(ge=0)
    iterations: int = Field(ge=1, le=10_000)


class NGrams(keras.layers.Layer):
    """Ids of the n-grams that end at each token; 0 where there is none. Batch × length · orders."""

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
    values = keras.layers.Embedding(size, classes, embeddings_initializer="zeros", name="table")(grams)
    logits = Bias(classes, name="bias")(layers.MaskedSum(_NORM)(values, grams))
    return keras.Model(ids, keras.layers.Softmax(name="probabilities")(logits))


def fit(
    network: keras.Model, params: Params, train: fitting.Rows, valid: fitting.Rows, seed: int, verbose: int
) -> list[dict[str, float]]:
    """Solves for the table in place and returns the learning curve, a dict per iteration of L-BFGS.

    The last iterate is kept, the solution of the problem; `l2`, not an early stop, holds it back. Nothing is drawn, so
    `seed` changes nothing.
    """
    table, bias = network.get_layer("table"), network.get_layer("bias")
    size, classes = table.get_weights()[0].shape
    x, target = _matrix(network, train, size), np.eye(classes)[train.labels]
    kept = np.flatnonzero(np.bincount(x.indices, minlength=size) >= params.min_rows)
    scale = weights(x[:, kept].sign(), target, params.smoothing)
    x, x_valid = (sparse.csr_matrix(rows[:, kept].multiply(scale)) for rows in (x, _matrix(network, valid, size)))
    transposed, share = x.T.tocsr(), np.full((len(target), 1), 1 / len(target))
    if params.class_weights:
        share = (1 / (classes * target.sum(axis=0)))[train.labels, None]
    latest: dict[str, float] = {}
    curve: list[dict[str, float]] = []

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = flat.reshape(-1, classes)
        log_p = special.log_softmax(x @ w[:-1] + w[-1], axis=1)
        slope = (np.exp(log_p) - target) * share
        loss = -(target * log_p * share).sum()
        latest.update(train_loss=loss, train_accuracy=(log_p.argmax(1) == train.labels).mean())
        gradient = np.vstack([transposed @ slope + params.l2 * w[:-1], slope.sum(axis=0)])
        return loss + params.l2 / 2 * (w[:-1] ** 2).sum(), gradient.ravel()

    def note(flat: np.ndarray) -> None:
        w = flat.reshape(-1, classes)
        log_p = special.log_softmax(x_valid @ w[:-1] + w[-1], axis=1)
        accuracy = (log_p.argmax(1) == valid.labels).mean()
        loss = -log_p[np.arange(len(log_p)), valid.labels].mean()
        point = {"epoch": len(curve) + 1, **latest, "valid_loss": loss, "valid_accuracy": accuracy}
        curve.append({key: value if key == "epoch" else float(value) for key, value in point.items()})

    with threadpool_limits(1):  # two threads add in another order than one
        found = optimize.minimize(
            objective, np.zeros((len(kept) + 1) * classes), jac=True, method="L-BFGS-B", callback=note,
            options={"maxiter": params.iterations, "ftol": 1e-6},
        )  # fmt: skip
    solved = found.x.reshape(-1, classes)
    full = np.zeros((size, classes))
    full[kept] = solved[:-1] * scale[:, None]
    table.set_weights([full])
    bias.set_weights([solved[-1]])
    return curve


def weights(present: sparse.csr_matrix, target: np.ndarray, smoothing: float) -> np.ndarray:
    """How much each n-gram may say: idf · √KL, so that L2 holds back what is common or says little about the class.

    idf = 1 + ln((1 + rows) / (1 + rows with it)); KL = Σ p(c | n-gram) ln(p(c | n-gram) / p(c)) over the classes, with
    p(c | n-gram) smoothed towards p(c). In the line of F. Debole and F. Sebastiani, "Supervised term weighting for
    automated text categorization", SAC 2003.
    """
    found = np.bincount(present.indices, minlength=present.shape[1])
    idf = 1 + np.log((1 + present.shape[0]) / (1 + found))
    prior = target.mean(axis=0)
    per_class = present.T @ target + smoothing * prior
    p = per_class / per_class.sum(axis=1, keepdims=True)
    return np.asarray(idf * np.sqrt(special.rel_entr(p, prior).sum(axis=1).clip(min=0)))


def _matrix(network: keras.Model, rows: fitting.Rows, size: int) -> sparse.csr_matrix:
    """What the graph sums for each row: how often each n-gram stands in it, over √ of how many there are."""
    blocks = []
    ngrams = network.get_layer("ngrams")
    for start in range(0, len(rows.ids), 1024):
        grams = ops.convert_to_numpy(ngrams(fitting.padded(rows.ids[start : start + 1024])))
        row, column = np.nonzero(grams)
        found = np.bincount(row, minlength=len(grams)).clip(min=1)
        blocks.append(sparse.csr_matrix((found[row] ** -_NORM, (row, grams[row, column])), (len(grams), size)))
    return sparse.vstack(blocks, "csr")
