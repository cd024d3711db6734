"""Which articles are nearly the same: groups of texts that share most of their shingles; pure, the same everywhere.

A text is the set of its shingles, the n-grams of its letters and digits. Two texts are near when the Jaccard similarity
of their sets (shared shingles over all shingles of both) reaches a bound. Candidates come from MinHash with banding
(A. Broder, "On the resemblance and containment of documents", 1997; J. Leskovec, A. Rajaraman and J. Ullman, "Mining of
Massive Datasets", ch. 3): under a random order of all shingles, the first ones of two sets are equal with a probability
equal to their similarity s, so of b bands of r orders at least one agrees wholly with probability 1 − (1 − s^r)^b. Each
candidate is then compared shingle by shingle, so what is called near is near.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import coo_array, csgraph, csr_array

# A changed character touches n shingles, so short texts want a small n; strangers share small n-grams by chance, so a
# small alphabet wants a large one. With two Chinese characters, a headline of 19 stays at (19 - 2) / (19 + 2) = 0.81
# when one of them changes; with five letters, an English summary of 230 stays above 0.8 when five do, and two that
# tell of different things share a few shingles in a hundred.
SHINGLE = {"en": 5, "zh": 2}
ORDERS = 64
RECALL = 0.999  # of pairs just at the bound; of nearer ones, more
REACH = 4  # how many of those that follow it in its bucket a text is compared with
PATIENCE = 16  # comparisons in vain, after which a text asks for no more
BLOCK = 1 << 18  # characters worked on at once: some megabytes

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits irregular (2^64 over the golden ratio)
Numbers = np.ndarray[Any, np.dtype[Any]]


def groups(keys: pl.Series, similarity: float, language: str) -> pl.Series:
    """For each row the number of the first row of its group; a row that is near to no other has its own number.

    `keys` are normalised texts. Texts that differ in space and punctuation alone always share a group; two others that
    are near do with the probability that `bands` promises, or because near texts connect them (the ends of such a chain
    may be further apart than the bound). Boilerplate costs some of that probability, so that the work stays in
    proportion to the rows: in a bucket of more than `REACH` + 1 texts, those stand together that agree in the next band
    too, and each meets only those that follow it, until two have had `PATIENCE` comparisons in vain.
    """
    rows = _first_rows(keys)
    texts = rows.filter(pl.col("row") == pl.col("first"))
    buckets = _buckets(texts["loose"], similarity, SHINGLE[language])
    labels, vain = np.arange(texts.height), np.zeros(texts.height, dtype=np.int64)
    beside = np.minimum(labels[:, None] + np.arange(1, REACH + 1), texts.height - 1)
    for band, next_band in zip(buckets, np.roll(buckets, -1, axis=0), strict=True):
        order = np.lexsort((next_band, band))
        left, right = np.broadcast_to(order[:, None], beside.shape), order[beside]
        candidates = (band[left] == band[right]) & (labels[left] != labels[right])
        candidates &= (vain[left] < PATIENCE) | (vain[right] < PATIENCE)
        left, right = left[candidates], right[candidates]
        near = _near(texts["loose"], left, right, similarity, SHINGLE[language])
        vain += np.bincount(np.concatenate((left[~near], right[~near])), minlength=texts.height)
        labels = _join(labels, left[near], right[near])
    _, heads, member = np.unique(labels, return_index=True, return_inverse=True)
    group = texts.select("first", group=texts["row"].gather(heads[member]))
    return rows.join(group, on="first", how="left", maintain_order="left")["group"]


def bands(similarity: float) -> tuple[int, int]:
    """How many bands of how many orders: as long as they may be to find a pair at the bound with `RECALL`.

    At 0.8, 16 bands of 4: 0.9998 of the pairs at 0.8, all but 4 in 10^8 at 0.9, one in three at 0.4.
    """
    for length in range(ORDERS, 1, -1):
        if 1 - (1 - similarity**length) ** (ORDERS // length) >= RECALL:
            return ORDERS // length, length
    return ORDERS, 1


def _first_rows(keys: pl.Series) -> pl.DataFrame:
    """Each row's letters and digits (all of it, where it has none) and the first row that has the same."""
    key = keys.rename("key")
    loose = pl.col("key").str.replace_all(r"[^\p{L}\p{N}]+", "")
    return (
        key.to_frame()
        .select(loose=pl.when(loose == "").then(pl.concat_str("key", pl.lit(" "))).otherwise(loose))
        .with_row_index("row")
        .with_columns(first=pl.col("row").min().over("loose"))
    )


def _blocks(lengths: Numbers) -> Iterator[slice]:
    """Slices of neighbouring texts with about `BLOCK` characters together, at least one text each."""
    place = np.cumsum(lengths) // BLOCK
    edges = [0, *(np.flatnonzero(np.diff(place)) + 1).tolist(), len(lengths)]
    return (slice(start, stop) for start, stop in pairwise(edges) if start < stop)


def _shingles(texts: pl.Series, n: int) -> tuple[Numbers, Numbers]:
    """The shingles of all texts as numbers, one for each character, and where each text begins among them.

    n - 1 blanks that are no characters follow a text, so that one shorter than n has shingles too.
    """
    lengths = texts.str.len_chars().to_numpy().astype(np.int64)
    blanks = "\0" * (n - 1)
    points = np.frombuffer((blanks.join(texts.to_list()) + blanks).encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    places = np.arange(lengths.sum()) + np.repeat(np.arange(len(texts)) * (n - 1), lengths)
    shingles = np.zeros(len(places), dtype=np.uint64)
    for offset in range(n):
        shingles = shingles * MULTIPLIER + points[places + offset]
    for _ in range(2):  # spreads each bit over all
        shingles = (shingles ^ (shingles >> np.uint64(32))) * MULTIPLIER
    return shingles, np.concatenate(([0], np.cumsum(lengths)))


def _buckets(texts: pl.Series, similarity: float, n: int) -> Numbers:
    """For each band and text the number of its bucket.

    An order of the shingles is a multiplication by an odd number, modulo 2^32.
    """
    count, length = bands(similarity)
    factors, shifts = np.random.PCG64(0).random_raw(2 * ORDERS).astype(np.uint32).reshape(2, ORDERS)
    buckets = np.zeros((count, len(texts)), dtype=np.uint64)
    for block in _blocks(texts.str.len_chars().to_numpy()):
        shingles, starts = _shingles(texts[block], n)
        short = (shingles >> np.uint64(32)).astype(np.uint32)
        for order in range(count * length):
            band = buckets[order // length, block]
            band ^= np.minimum.reduceat(short * (factors[order] | np.uint32(1)) + shifts[order], starts[:-1])
            band *= MULTIPLIER
            band ^= band >> np.uint64(29)
    return buckets


def _near(texts: pl.Series, left: Numbers, right: Numbers, similarity: float, n: int) -> Numbers:
    """Which of the pairs are near, shingle by shingle."""
    lengths = texts.str.len_chars().to_numpy().astype(np.int64)
    near = np.zeros(len(left), dtype=bool)
    for block in _blocks(lengths[left] + lengths[right]):
        members, places = np.unique(np.stack((left[block], right[block])), return_inverse=True)
        sets = _sets(texts[members], n)
        sizes = np.diff(sets.indptr)[places].sum(axis=0)
        shared = np.diff(sets[places[0]].multiply(sets[places[1]]).indptr)
        near[block] = shared / (sizes - shared) >= similarity
    return near


def _sets(texts: pl.Series, n: int) -> Any:
    """The texts as a sparse matrix: a row for each, a one in the column of each of its shingles.

    A shingle counts by 44 of its bits; the other 20 of a number are the row, of which a block has fewer.
    Sorting both as one number is several times faster than `sum_duplicates` and than `np.unique`.
    """
    shingles, starts = _shingles(texts, n)
    row = np.arange(len(texts) + 1, dtype=np.uint64) << np.uint64(44)
    ordered = np.sort(np.repeat(row[:-1], np.diff(starts)) | (shingles >> np.uint64(20)))
    ordered = ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))]
    columns = (ordered & np.uint64((1 << 44) - 1)).astype(np.int64)
    ones = np.ones(len(ordered), dtype=bool)
    return csr_array((ones, columns, np.searchsorted(ordered, row)), shape=(len(texts), 1 << 44))


def _join(labels: Numbers, left: Numbers, right: Numbers) -> Numbers:
    """The labels of the texts' groups once the pairs are joined."""
    ones = np.ones(len(left), dtype=bool)
    edges = coo_array((ones, (labels[left], labels[right])), shape=(len(labels), len(labels)))
    joined: Numbers = csgraph.connected_components(edges, directed=False)[1]
    return joined[labels]
