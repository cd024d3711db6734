"""MinHash and the Jaccard similarity of texts as sets of shingles.

A text is the set of its shingles, the n-grams of its letters and digits. MinHash with banding (A. Broder, "On the
resemblance and containment of documents", 1997; J. Leskovec, A. Rajaraman and J. Ullman, "Mining of Massive Datasets",
ch. 3) finds candidates: under a random order of all shingles, the first ones of two sets are equal with a probability
equal to their similarity s, so of b bands of r orders at least one agrees wholly with probability 1 − (1 − s^r)^b.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from gazette.core.arrays import Array
from gazette.data import dedup

# A changed character touches n shingles, so short texts want a small n; unrelated texts share small n-grams by chance,
# so a small alphabet wants a large one. With two Chinese characters, a headline of 19 keeps (19 - 2) / (19 + 2) = 0.81
# when one of them changes; with five letters, an English summary of 230 stays above 0.8 when five do, and summaries of
# different stories share a few shingles in a hundred.
SHINGLE_LENGTH = {"zh": 2, "ja": 2}  # characters; the words of other languages have spaces between them: 5
OTHER_LENGTH = 5
ORDERS = 64
RECALL = 0.999  # of pairs just at the bound; of nearer ones, more
BLOCK_CHARACTERS = 1 << 18  # worked on at once: some megabytes

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits irregular (2^64 over the golden ratio)
Key = Callable[[pl.Series], pl.Series]


def lsh_bands(similarity: float) -> tuple[int, int]:
    """Return the number and the length of bands: as long as possible while a pair at the bound is found with `RECALL`.

    At 0.8, 16 bands of 4: 0.9998 of the pairs at 0.8, all but 4 in 10^8 at 0.9, one in three at 0.4.
    """
    for length in range(ORDERS, 1, -1):
        if 1 - (1 - similarity**length) ** (ORDERS // length) >= RECALL:
            return ORDERS // length, length
    return ORDERS, 1


def _blocks(lengths: Array) -> Iterator[slice]:
    """Yield slices of consecutive texts with about `BLOCK_CHARACTERS` together, at least one text each."""
    place = np.cumsum(lengths) // BLOCK_CHARACTERS
    edges = [0, *(np.flatnonzero(np.diff(place)) + 1).tolist(), len(lengths)]
    return (slice(start, stop) for start, stop in pairwise(edges) if start < stop)


def _shingles(texts: pl.Series, n: int) -> tuple[Array, Array]:
    """Return the shingles of all texts as numbers, one per character, and the offset of each text among them.

    n - 1 NUL characters follow a text, so that one shorter than n has shingles too.
    """
    lengths = texts.str.len_chars().to_numpy().astype(np.int64)
    blanks = "\0" * (n - 1)
    points = np.frombuffer((blanks.join(texts.to_list()) + blanks).encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    shingles = points[: len(points) - n + 1].copy()
    for offset in range(1, n):
        shingles *= MULTIPLIER
        shingles += points[offset : len(points) - n + 1 + offset]
    ends = np.cumsum(lengths + n - 1)
    blank = (ends[:, None] - np.arange(1, n)).ravel()
    shingles = np.delete(shingles, blank[blank < len(shingles)])
    for _ in range(2):  # spreads each bit over all
        shingles ^= shingles >> np.uint64(32)
        shingles *= MULTIPLIER
    return shingles, np.concatenate(([0], np.cumsum(lengths)))


def hash_bands(texts: pl.Series, similarity: float, n: int, key: Key) -> tuple[list[Array], Array]:
    """Return for each band the bucket of each text; and the digests of the texts.

    An order of the shingles is a multiplication by an odd number, modulo 2^32.
    """
    count, length = lsh_bands(similarity)
    factors, shifts = np.random.PCG64(0).random_raw(2 * ORDERS).astype(np.uint32).reshape(2, ORDERS)
    buckets = [np.zeros(len(texts), dtype=np.uint32) for _ in range(count)]

    def fill(block: slice) -> Array:
        letters = key(texts[block])
        shingles, starts = _shingles(letters, n)
        short = (shingles >> np.uint64(32)).astype(np.uint32)
        placed = np.empty_like(short)
        for number, bucket in enumerate(buckets):
            band = np.zeros(letters.len(), dtype=np.uint64)
            for order in range(number * length, (number + 1) * length):
                np.multiply(short, factors[order] | np.uint32(1), out=placed)
                placed += shifts[order]
                band ^= np.minimum.reduceat(placed, starts[:-1])
                band *= MULTIPLIER
                band ^= band >> np.uint64(29)
            bucket[block] = band >> np.uint64(32)
        return dedup.hash_keys(letters)

    digests = dedup.map_threads(fill, _blocks(texts.str.len_chars().to_numpy()))
    return buckets, np.concatenate([np.zeros((0, 2), dtype=np.uint64), *digests])


def are_near(texts: pl.Series, left: Array, right: Array, similarity: float, n: int, key: Key) -> Array:
    """Tell which pairs have at least this Jaccard similarity."""

    def compare(block: slice) -> Array:
        members, places = np.unique(np.stack((left[block], right[block])), return_inverse=True)
        sets = _sets(key(texts.gather(members)), n)
        places = places.reshape(2, -1)
        sizes = np.diff(sets.indptr)[places].sum(axis=0)
        shared = np.diff(sets[places[0]].multiply(sets[places[1]]).indptr)
        near: Array = shared / (sizes - shared) >= similarity
        return near

    lengths = texts.str.len_chars().to_numpy()
    blocks = _blocks(lengths[left].astype(np.int64) + lengths[right])
    return np.concatenate([np.zeros(0, dtype=bool), *dedup.map_threads(compare, blocks)])


def _sets(texts: pl.Series, n: int) -> Any:
    """Return a sparse matrix with a row per text and a one in the column of each of its shingles.

    44 bits of a number are the shingle and 20 the row, of which a block has fewer.
    Sorting both as one number is several times faster than `sum_duplicates` and than `np.unique`.
    """
    shingles, starts = _shingles(texts, n)
    row = np.arange(len(texts) + 1, dtype=np.uint64) << np.uint64(44)
    ordered = np.sort(np.repeat(row[:-1], np.diff(starts)) | (shingles >> np.uint64(20)))
    ordered = ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))]
    columns = (ordered & np.uint64((1 << 44) - 1)).astype(np.int64)
    ones = np.ones(len(ordered), dtype=bool)
    return csr_array((ones, columns, np.searchsorted(ordered, row)), shape=(len(texts), 1 << 44))
