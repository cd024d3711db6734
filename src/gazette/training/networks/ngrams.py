"""N-grams as features: hashed from token ids inside the graph, and looked up in a table of the frequent ones."""

from typing import Any, Self

import keras
import numpy as np
from keras import ops
from prefect_dvc.core.errors import ConfigError
from pydantic import BaseModel, Field
from scipy import sparse

from gazette.training.networks.batches import Rows

# Products stay below 2³¹ (ids < 2¹⁷, buckets ≤ 2²²): above that, ONNX's int32 remainder is negative and TensorFlow's is
# not.
_MULTIPLIERS = {2: 16_381, 3: 509}


class NgramParams(BaseModel, frozen=True, extra="forbid"):
    """N-grams of 1 to `ngrams` tokens; those of more than one token are hashed into `buckets`."""

    ngrams: int = Field(ge=1, le=3)
    buckets: int = Field(ge=1, le=1 << 22)
    min_df: int = Field(ge=1)  # n-grams in fewer training rows are ignored
    max_features: int = Field(ge=1, le=1 << 21)  # n-grams in the table, those in the most training rows
    smoothing: float = Field(gt=0)  # of an n-gram's class distribution

    def bounded_by(self, train: Rows) -> Self:
        """Return these params with a table that is no larger than the n-grams of the training rows could fill."""
        texts = train.ids + (train.pieces or [])
        ngrams = sum(len(ids) * self.ngrams + self.ngrams - 1 for ids in texts)  # the ends of a text are in n-grams too
        return self.model_copy(update={"max_features": min(self.max_features, max(1, ngrams))})


class HashedNgrams(keras.layers.Layer):
    """Ids of the n-grams of a text, with a boundary token at both ends; 0 for none.

    Batch × length in, batch × about length · orders out.
    """

    def __init__(self, orders: int, buckets: int, vocabulary: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.orders, self.buckets, self.vocabulary = orders, buckets, vocabulary

    def call(self, ids: Any) -> Any:  # noqa: D102
        grams = [ids]
        gram = bounded = ops.pad(ids, [[0, 0], [1, 1]])
        count = is_token = ops.cast(ops.not_equal(bounded, 0), "int32")
        for order in range(2, self.orders + 1):
            gram = ops.mod(gram[:, :-1] * _MULTIPLIERS[order] + bounded[:, order - 1 :], self.buckets)
            count = count[:, :-1] + is_token[:, order - 1 :]
            grams.append(ops.where(count >= order - 1, gram + self.vocabulary, 0))
        return ops.concatenate(grams, axis=1)


class FeatureLookup(keras.layers.Layer):
    """Maps each of `size` n-gram ids to its row of the table; to row 0, all zeros, if it has none."""

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows = self.add_weight(shape=(size,), initializer="zeros", dtype="int32", trainable=False, name="rows")

    def call(self, grams: Any) -> Any:  # noqa: D102
        return ops.take(self.rows, grams, axis=0)


def ngram_rows(ids: Any, params: NgramParams, vocabulary: int) -> Any:
    """Return the table row of each n-gram of token ids below `vocabulary`."""
    grams = HashedNgrams(params.ngrams, params.buckets, vocabulary, name="ngrams")(ids)
    return FeatureLookup(vocabulary + (params.buckets if params.ngrams > 1 else 0), name="lookup")(grams)


def ngram_matrix(network: keras.Model, rows: Rows) -> sparse.csr_matrix:
    """Count each n-gram in each row by the network's own graph, rows × n-gram ids."""
    blocks = []
    ngrams = keras.Model(network.input, network.get_layer("ngrams").output)
    size = len(network.get_layer("lookup").get_weights()[0])
    for inputs in rows.inputs(1024):
        grams = ops.convert_to_numpy(ngrams(inputs))
        row, column = np.nonzero(grams)
        blocks.append(sparse.csr_matrix((np.ones(len(row)), (row, grams[row, column])), (len(grams), size)))
    return sparse.vstack(blocks, "csr")


def frequent_ngrams(x: sparse.csr_matrix, params: NgramParams) -> np.ndarray:
    """Return the sorted ids of the n-grams in at least `min_df` rows, at most `max_features`: those in the most rows.

    Raises ConfigError if there is none.
    """
    rows = np.bincount(x.indices, minlength=x.shape[1])
    features = np.flatnonzero(rows >= params.min_df)
    if not len(features):
        raise ConfigError(
            f"no n-gram occurs in {params.min_df} of the {x.shape[0]} training rows, so nothing can be learned; lower "
            "min_df of this model in params.yaml"
        )
    most = np.argsort(-rows[features], kind="stable")[: params.max_features]
    return features[np.sort(most)]


def fill_rows(network: keras.Model, features: np.ndarray, table: str, values: np.ndarray) -> None:
    """Assign the rows 1, 2, … of the layer `table` to these n-grams, in order, and set them to `values`."""
    rows = np.arange(1, len(features) + 1)
    for name, places, entries in (("lookup", features, rows), (table, rows, values)):
        weights = network.get_layer(name).get_weights()[0]
        weights[places] = entries
        network.get_layer(name).set_weights([weights])
