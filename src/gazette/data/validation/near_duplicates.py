"""Groups of near duplicates: texts whose sets of shingles have a Jaccard similarity of at least a bound.

Candidates come from MinHash and are then compared shingle by shingle, so every pair called near is near. The result is
the same in every process, for any number of threads.
"""

import numpy as np
import polars as pl
from scipy.sparse import coo_array, csgraph

from gazette.data import dedup
from gazette.data.validation import minhash
from gazette.data.validation.minhash import Key, Numbers

NEIGHBORS = 4  # that follow a text in its bucket and are compared with it
MAX_MISSES = 16  # comparisons without success, after which a text starts none
STEP_ROWS = 1 << 18  # texts paired at once
SLOT_BITS = 24  # at most, of a bucket's number, by which buckets of a single group are skipped


def group_near_duplicates(
    keys: pl.Series, similarity: float, language: str, key: Key = lambda texts: texts
) -> pl.Series:
    """Return for each row the number of the first row of its group; a row without near ones has its own number.

    `keys` are normalized texts, or texts that `key` normalizes block by block. Texts that differ in space and
    punctuation alone always share a group; others that are near do with the probability that `minhash.lsh_bands`
    promises, or because near texts connect them (the ends of such a chain may be less similar than the bound).
    Boilerplate lowers that probability, so that the work stays proportional to the rows: in a bucket of more than
    `NEIGHBORS` + 1 texts, those that also agree in the next band are sorted together, and each is compared only with
    the `NEIGHBORS` that follow it and are not yet in its group, until both have `MAX_MISSES` comparisons without
    success.
    """

    def letters(texts: pl.Series) -> pl.Series:
        return _letters(key(texts))

    n = minhash.SHINGLE_LENGTH[language]
    buckets, digests = minhash.hash_bands(keys, similarity, n, letters)
    first = dedup.first_occurrences(digests)
    unique = np.flatnonzero(first == np.arange(len(first), dtype=np.uint32)).astype(np.uint32)
    texts = keys.rechunk().gather(unique)  # in one piece, no text is copied
    buckets = [band[unique] for band in buckets]
    labels, misses = np.arange(len(unique), dtype=np.int32), np.zeros(len(unique), dtype=np.int32)
    for band, next_band in zip(buckets, buckets[1:] + buckets[:1], strict=True):
        order = _mixed_buckets(band, next_band, labels)
        pairs, new_misses = [np.zeros((2, 0), dtype=np.int32)], np.zeros_like(misses)
        for start in range(0, len(order), STEP_ROWS):
            part = order[start : start + STEP_ROWS + NEIGHBORS]
            _, local = np.unique(labels[part], return_inverse=True)
            for offset in range(1, NEIGHBORS + 1):
                places = np.arange(min(STEP_ROWS, len(part) - offset))
                left, right = part[places], part[places + offset]
                candidates = (band[left] == band[right]) & (local[places] != local[places + offset])
                candidates &= (misses[left] < MAX_MISSES) | (misses[right] < MAX_MISSES)
                places, left, right = places[candidates], left[candidates], right[candidates]
                near = minhash.are_near(texts, left, right, similarity, n, letters)
                np.add.at(new_misses, np.concatenate((left[~near], right[~near])), 1)
                local = _join(local, places[near], places[near] + offset)
            _, heads = np.unique(local, return_index=True)
            pairs.append(np.stack((part, part[heads[local]])))
        misses += new_misses
        labels = _join(labels, *np.concatenate(pairs, axis=1))
    _, heads, member = np.unique(labels, return_index=True, return_inverse=True)
    group = np.empty(len(first), dtype=np.uint32)
    group[unique] = unique[heads[member]]
    return pl.Series(group[first])


def _letters(keys: pl.Series) -> pl.Series:
    """Return the letters and digits of each text; all of it if it has none."""
    letters = keys.str.replace_all(r"[^\p{L}\p{N}]+", "")
    return letters.zip_with(letters != "", keys + " ")


def _mixed_buckets(band: Numbers, next_band: Numbers, labels: Numbers) -> Numbers:
    """Return the texts of buckets with two groups or more (and a few others), sorted by bucket and next band."""
    bits = min(SLOT_BITS, len(labels).bit_length() + 3)
    place = (band >> np.uint32(32 - bits)).astype(np.int32)
    label, mixed = np.empty(1 << bits, dtype=np.int32), np.zeros(1 << bits, dtype=bool)
    label[place] = labels
    mixed[place[label[place] != labels]] = True
    rows = np.flatnonzero(mixed[place])
    return rows[np.lexsort((next_band[rows], band[rows]))].astype(np.int32)


def _join(labels: Numbers, left: Numbers, right: Numbers) -> Numbers:
    """Return the group labels after joining the pairs."""
    ones = np.ones(len(left), dtype=bool)
    edges = coo_array((ones, (labels[left], labels[right])), shape=(len(labels), len(labels)))
    joined: Numbers = csgraph.connected_components(edges, directed=False)[1]
    return joined[labels]
