"""Multinomial logistic regression on n-grams, each weighed by how much it tells about each class (naive Bayes).

After S. Wang and C. Manning, "Baselines and Bigrams", ACL 2012: the features are scaled by their log-count ratios, here
one ratio per class. N-grams are hashed from neighbouring token ids inside the graph.
"""

from typing import Any

import keras
import numpy as np
from keras import ops
from pydantic import Field

from gazette.networks import fitting, layers

# Products stay under 2³¹ (ids < 2¹⁶, buckets ≤ 2²⁰): past that, ONNX's int32 remainder goes negative where TensorFlow's
# does not.
_MULTIPLIERS = {2: 31_337, 3: 2_039}


class Params(fitting.Params, frozen=True, extra="forbid"):
    """N-grams of 1 to `ngrams` tokens; those of more than one share `buckets` rows of the table."""

    ngrams: int = Field(ge=1, le=3)
    buckets: int = Field(ge=1, le=1 << 20)
    smoothing: float = Field(gt=0)


class NGrams(keras.layers.Layer):  # type: ignore[misc]
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


def build(params: Params, rows: fitting.Rows, vocabulary: int, classes: int) -> keras.Model:
    """The network to fit: a weight per n-gram and class, times its fixed log-count ratio."""
    ngrams = NGrams(params.ngrams, params.buckets, vocabulary, name="ngrams")
    size = vocabulary + (params.buckets if params.ngrams > 1 else 0)
    ratios = log_count_ratios(ngrams, rows, size, classes, params.smoothing)
    ids = layers.token_ids()
    grams = ngrams(ids)
    weights = keras.layers.Embedding(
        size, classes, embeddings_initializer="zeros", embeddings_regularizer=params.regularizer(), name="weights"
    )
    scale = keras.layers.Embedding(size, classes, weights=[ratios], trainable=False, name="scale")
    return keras.Model(ids, _head(params.dropout, weights(grams) * scale(grams), grams, classes))


def finish(network: keras.Model) -> keras.Model:
    """The network to ship: weights and ratios multiplied into one table."""
    weights, scale = (network.get_layer(name).get_weights()[0] for name in ("weights", "scale"))
    ids = layers.token_ids()
    grams = network.get_layer("ngrams")(ids)
    table = keras.layers.Embedding(*weights.shape, weights=[weights * scale], name="table")
    shipped = keras.Model(ids, _head(0.0, table(grams), grams, weights.shape[1]))
    shipped.get_layer("bias").set_weights(network.get_layer("bias").get_weights())
    return shipped


def _head(dropout: float, values: Any, grams: Any, classes: int) -> Any:
    if dropout:
        values = keras.layers.SpatialDropout1D(dropout)(values)
    logits = Bias(classes, name="bias")(layers.MaskedSum(norm=0.5)(values, grams))
    return keras.layers.Softmax(name="probabilities")(logits)


class Bias(keras.layers.Layer):  # type: ignore[misc]
    """Adds a learned number per class."""

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bias = self.add_weight(shape=(classes,), initializer="zeros", name="bias")

    def call(self, values: Any) -> Any:  # noqa: D102
        return values + self.bias


def log_count_ratios(ngrams: NGrams, rows: fitting.Rows, size: int, classes: int, smoothing: float) -> np.ndarray:  # type: ignore[type-arg]
    """log (p / |p|) / (q / |q|) per n-gram and class, p its count in the class and q in all others, both smoothed.

    An n-gram that the train rows do not have is 0: it says nothing.
    """
    counts = np.zeros((size, classes), np.float32)
    for ids, labels in fitting.Batches(rows, 1024):
        grams = ops.convert_to_numpy(ngrams(ids))
        np.add.at(counts, (grams, labels[:, None]), 1)
    counts[0] = 0
    others = counts.sum(axis=1, keepdims=True) - counts
    p, q = counts + smoothing, others + smoothing
    ratios = np.log((p / p.sum(axis=0)) / (q / q.sum(axis=0)))
    return np.where(counts.sum(axis=1, keepdims=True) > 0, ratios, 0).astype(np.float32)
