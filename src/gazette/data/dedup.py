"""Exact duplicates, by digests of the texts instead of the texts.

A digest is 128 bits of BLAKE2b; the chance that two different texts among 10^7 share one is 10^-25.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np
import polars as pl

PART_ROWS = 1 << 14  # a few megabytes of text

Result = TypeVar("Result")
Numbers = np.ndarray[Any, np.dtype[Any]]


def map_parts(texts: pl.Series, function: Callable[[pl.Series], Result]) -> list[Result]:
    """Return `function` of each part of the texts, in their order, for any number of threads."""
    parts = (texts.slice(start, PART_ROWS) for start in range(0, max(texts.len(), 1), PART_ROWS))
    return list(map_threads(function, parts))


def map_threads(function: Callable[[Any], Result], parts: Iterator[Any]) -> Iterator[Result]:
    """Map on as many threads as polars has; polars and numpy release the interpreter's lock."""
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        yield from pool.map(function, parts)


def hash_keys(keys: pl.Series) -> Numbers:
    """Return the digest of each key as two 64-bit integers."""
    digests = b"".join(blake2b(key.encode(), digest_size=16).digest() for key in keys.to_list())
    return np.frombuffer(digests, dtype="<u8").reshape(-1, 2)


def first_occurrences(digests: Numbers) -> Numbers:
    """Return for each row the first row with the same digest."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (digests[order[1:]] != digests[order[:-1]]).any(axis=1)
    starts = np.flatnonzero(new)
    first = np.empty(len(order), dtype=np.uint32)
    first[order] = np.repeat(order[starts], np.diff(starts, append=len(order)))
    return first
