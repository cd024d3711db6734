"""Which articles are the same, row by row and without a second copy of the texts.

A text is known by 128 bits of its key's BLAKE2b: that two different ones among 10^7 share them has a chance of 10^-25.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np
import polars as pl

ROWS = 1 << 14  # worked on at once: a few megabytes of text

Found = TypeVar("Found")
Numbers = np.ndarray[Any, np.dtype[Any]]


def in_parts(texts: pl.Series, look: Callable[[pl.Series], Found]) -> list[Found]:
    """What `look` finds in each part of the texts, in their order, for any number of threads."""
    return list(side_by_side(look, (texts.slice(start, ROWS) for start in range(0, max(texts.len(), 1), ROWS))))


def side_by_side(work: Callable[[Any], Found], parts: Iterator[Any]) -> Iterator[Found]:
    """`map` on as many threads as polars has; it and numpy let others work meanwhile."""
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        yield from pool.map(work, parts)


def digests(keys: pl.Series) -> Numbers:
    """Two numbers for each key."""
    found = b"".join(blake2b(key.encode(), digest_size=16).digest() for key in keys.to_list())
    return np.frombuffer(found, dtype="<u8").reshape(-1, 2)


def first_rows(digests: Numbers) -> Numbers:
    """For each row the first row that has the same digest."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (digests[order[1:]] != digests[order[:-1]]).any(axis=1)
    starts = np.flatnonzero(new)
    first = np.empty(len(order), dtype=np.uint32)
    first[order] = np.repeat(order[starts], np.diff(starts, append=len(order)))
    return first
