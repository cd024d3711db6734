"""Groups of near duplicates: texts whose sets of shingles have a Jaccard similarity of at least a bound.

Candidates come from MinHash and are then compared shingle by shingle, so every pair called near is near. The result is
the same in every process, for any number of threads.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl
from scipy.sparse import coo_array, csgraph

from gazette.core import normalization
from gazette.core.arrays import Array
from gazette.data import dedup
from gazette.data.languages import base
from gazette.data.parts import copy_strings
from gazette.data.validation import minhash

NEIGHBORS = 4  # that follow a text in its bucket and are compared with it
MAX_MISSES = 16  # comparisons without success, after which a text starts none


def group_near_duplicates(texts: pl.Series, similarity: float, language: str) -> pl.Series:
    """Return for each row the number of the first row of its group; a row without near ones has its own number.

    Texts that differ in space and punctuation alone always share a group; others that are near do with the probability
    that `minhash.lsh_bands` promises, or because near texts connect them (the ends of such a chain may be less similar
    than the bound). Boilerplate lowers that probability, so that the work stays proportional to the rows: in a bucket
    of more than `NEIGHBORS` + 1 texts, those that also agree in the next band are sorted together, and each is compared
    only with the `NEIGHBORS` that follow it and are not yet in its group, until both have `MAX_MISSES` comparisons
    without success.
    """
    n = minhash.SHINGLE_LENGTH.get(base(language), minhash.OTHER_LENGTH)
    buckets, digests = minhash.hash_bands(texts, similarity, n, _letters)
    unique, copies = np.unique(dedup.first_occurrences(digests), return_inverse=True)
    texts = texts.rechunk().gather(unique)  # in one piece, no text is copied
    buckets = [band[unique] for band in buckets]
    labels, misses = np.arange(len(unique), dtype=np.int32), np.zeros(len(unique), dtype=np.int32)
    for band, next_band in zip(buckets, buckets[1:] + buckets[:1], strict=True):
        order = np.lexsort((next_band, band)).astype(np.int32)
        new_misses = np.zeros_like(misses)
        for offset in range(1, NEIGHBORS + 1):
            left, right = order[:-offset], order[offset:]
            candidates = (band[left] == band[right]) & (labels[left] != labels[right])
            candidates &= (misses[left] < MAX_MISSES) | (misses[right] < MAX_MISSES)
            left, right = left[candidates], right[candidates]
            if not len(left):
                continue
            near = minhash.are_near(texts, left, right, similarity, n, _letters)
            np.add.at(new_misses, np.concatenate((left[~near], right[~near])), 1)
            labels = _join(labels, left[near], right[near])
        misses += new_misses
    _, heads, groups = np.unique(labels, return_index=True, return_inverse=True)
    return pl.Series(unique[heads[groups[copies]]])


def find_neighbors(
    sample: pl.Series, parts: Iterable[pl.DataFrame], similarity: float, language: str
) -> Iterator[pl.DataFrame]:
    """Yield, of each part (row, text, …), the rows that may be near a text of the sample.

    They are those in one of its buckets, of which each passes on its first `NEIGHBORS` rows.
    """
    n = minhash.SHINGLE_LENGTH.get(base(language), minhash.OTHER_LENGTH)
    known = [np.unique(band) for band in minhash.hash_bands(sample, similarity, n, _letters)[0]]
    passed = [np.zeros(len(band), dtype=np.int64) for band in known]
    for part in parts:
        is_near = np.zeros(part.height, dtype=bool)
        bands, _ = minhash.hash_bands(part["text"], similarity, n, _letters)
        for band, buckets, counts in zip(bands, known, passed, strict=True):
            places = np.searchsorted(buckets, band)
            rows = np.flatnonzero(buckets[np.minimum(places, len(buckets) - 1)] == band)
            places = places[rows]
            order = np.argsort(places, kind="stable")
            ordered = places[order]
            rank = np.arange(len(ordered)) - np.searchsorted(ordered, ordered) + counts[ordered]
            is_near[rows[order[rank < NEIGHBORS]]] = True
            np.add.at(counts, places, 1)
        yield copy_strings(part.filter(is_near))


def _letters(texts: pl.Series) -> pl.Series:
    """Return the letters and digits of each text, normalized; all of it if it has none."""
    keys = normalization.normalize(texts)
    letters = keys.str.replace_all(r"[^\p{L}\p{N}]+", "")
    return letters.zip_with(letters != "", keys + " ")


def _join(labels: Array, left: Array, right: Array) -> Array:
    ones = np.ones(len(left), dtype=bool)
    edges = coo_array((ones, (labels[left], labels[right])), shape=(len(labels), len(labels)))
    joined: Array = csgraph.connected_components(edges, directed=False)[1]
    return joined[labels]
