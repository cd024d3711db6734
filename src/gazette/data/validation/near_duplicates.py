"""Which articles are nearly the same: groups of texts that share most of their shingles; pure, the same everywhere.

A text is the set of its shingles, the n-grams of its letters and digits. Two texts are near when the Jaccard similarity
of their sets (shared shingles over all shingles of both) reaches a bound. Candidates come from MinHash with banding
(A. Broder, "On the resemblance and containment of documents", 1997; J. Leskovec, A. Rajaraman and J. Ullman, "Mining of
Massive Datasets", ch. 3): under a random order of all shingles, the first ones of two sets are equal with a probability
equal to their similarity s, so of b bands of r orders at least one agrees wholly with probability 1 − (1 − s^r)^b. Each
candidate is then compared shingle by shingle, so what is called near is near.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import coo_array, csgraph, csr_array

from gazette.data import dedup

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
STEP = 1 << 18  # texts that are paired at once
SLOTS = 24  # bits of a bucket's number, at most, by which those that hold one group are sorted out

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits irregular (2^64 over the golden ratio)
Numbers = np.ndarray[Any, np.dtype[Any]]
Key = Callable[[pl.Series], pl.Series]


def groups(keys: pl.Series, similarity: float, language: str, key: Key = lambda texts: texts) -> pl.Series:
    """For each row the number of the first row of its group; a row that is near to no other has its own number.

    `keys` are normalised texts, or texts of which `key` makes them when they are looked at, so that they need not all
    be there at once. Texts that differ in space and punctuation alone always share a group; two others that
    are near do with the probability that `bands` promises, or because near texts connect them (the ends of such a chain
    may be further apart than the bound). Boilerplate costs some of that probability, so that the work stays in
    proportion to the rows: in a bucket of more than `REACH` + 1 texts, those stand together that agree in the next band
    too, and each meets only the `REACH` that follow it and are not yet of its group, until two have had `PATIENCE`
    comparisons in vain.
    """

    def loose(texts: pl.Series) -> pl.Series:
        return _letters(key(texts))

    buckets, digests = _buckets(keys, similarity, SHINGLE[language], loose)
    first = dedup.first_rows(digests)
    own = np.flatnonzero(first == np.arange(len(first), dtype=np.uint32)).astype(np.uint32)
    texts = keys.rechunk().gather(own)  # in one piece, no text is copied
    buckets = [band[own] for band in buckets]
    labels, vain = np.arange(len(own), dtype=np.int32), np.zeros(len(own), dtype=np.int32)
    for band, next_band in zip(buckets, buckets[1:] + buckets[:1], strict=True):
        order = _mixed(band, next_band, labels)
        pairs, spent = [np.zeros((2, 0), dtype=np.int32)], np.zeros_like(vain)
        for start in range(0, len(order), STEP):
            part = order[start : start + STEP + REACH]
            _, here = np.unique(labels[part], return_inverse=True)
            for offset in range(1, REACH + 1):
                places = np.arange(min(STEP, len(part) - offset))
                left, right = part[places], part[places + offset]
                candidates = (band[left] == band[right]) & (here[places] != here[places + offset])
                candidates &= (vain[left] < PATIENCE) | (vain[right] < PATIENCE)
                places, left, right = places[candidates], left[candidates], right[candidates]
                near = _near(texts, left, right, similarity, SHINGLE[language], loose)
                np.add.at(spent, np.concatenate((left[~near], right[~near])), 1)
                here = _join(here, places[near], places[near] + offset)
            _, heads = np.unique(here, return_index=True)
            pairs.append(np.stack((part, part[heads[here]])))
        vain += spent
        labels = _join(labels, *np.concatenate(pairs, axis=1))
    _, heads, member = np.unique(labels, return_index=True, return_inverse=True)
    group = np.empty(len(first), dtype=np.uint32)
    group[own] = own[heads[member]]
    return pl.Series(group[first])


def bands(similarity: float) -> tuple[int, int]:
    """How many bands of how many orders: as long as they may be to find a pair at the bound with `RECALL`.

    At 0.8, 16 bands of 4: 0.9998 of the pairs at 0.8, all but 4 in 10^8 at 0.9, one in three at 0.4.
    """
    for length in range(ORDERS, 1, -1):
        if 1 - (1 - similarity**length) ** (ORDERS // length) >= RECALL:
            return ORDERS // length, length
    return ORDERS, 1


def _letters(keys: pl.Series) -> pl.Series:
    """The letters and digits of each text; all of it, where it has none."""
    letters = keys.str.replace_all(r"[^\p{L}\p{N}]+", "")
    return letters.zip_with(letters != "", keys + " ")


def _mixed(band: Numbers, next_band: Numbers, labels: Numbers) -> Numbers:
    """The texts of buckets that hold two groups, and a few more; by bucket, and there by the next band's."""
    bits = min(SLOTS, len(labels).bit_length() + 3)
    place = (band >> np.uint32(32 - bits)).astype(np.int32)
    label, mixed = np.empty(1 << bits, dtype=np.int32), np.zeros(1 << bits, dtype=bool)
    label[place] = labels
    mixed[place[label[place] != labels]] = True
    rows = np.flatnonzero(mixed[place])
    return rows[np.lexsort((next_band[rows], band[rows]))].astype(np.int32)


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


def _buckets(
    texts: pl.Series, similarity: float, n: int, loose: Key = lambda texts: texts
) -> tuple[list[Numbers], Numbers]:
    """For each band and text the number of its bucket; and the texts' digests.

    An order of the shingles is a multiplication by an odd number, modulo 2^32.
    """
    count, length = bands(similarity)
    factors, shifts = np.random.PCG64(0).random_raw(2 * ORDERS).astype(np.uint32).reshape(2, ORDERS)
    buckets = [np.zeros(len(texts), dtype=np.uint32) for _ in range(count)]

    def fill(block: slice) -> Numbers:
        letters = loose(texts[block])
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
        return dedup.digests(letters)

    digests = dedup.side_by_side(fill, _blocks(texts.str.len_chars().to_numpy()))
    return buckets, np.concatenate([np.zeros((0, 2), dtype=np.uint64), *digests])


def _near(
    texts: pl.Series, left: Numbers, right: Numbers, similarity: float, n: int, loose: Key = lambda texts: texts
) -> Numbers:
    """Which of the pairs are near, shingle by shingle."""

    def compare(block: slice) -> Numbers:
        members, places = np.unique(np.stack((left[block], right[block])), return_inverse=True)
        sets = _sets(loose(texts.gather(members)), n)
        places = places.reshape(2, -1)
        sizes = np.diff(sets.indptr)[places].sum(axis=0)
        shared = np.diff(sets[places[0]].multiply(sets[places[1]]).indptr)
        near: Numbers = shared / (sizes - shared) >= similarity
        return near

    lengths = texts.str.len_chars().to_numpy()
    blocks = _blocks(lengths[left].astype(np.int64) + lengths[right])
    return np.concatenate([np.zeros(0, dtype=bool), *dedup.side_by_side(compare, blocks)])


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
