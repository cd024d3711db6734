"""Exact duplicates, by digests of the texts instead of the texts.

A digest is 128 bits of BLAKE2b; the chance that two different texts among 10^7 share one is 10^-25.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np
import polars as pl

from gazette.core.arrays import Array

PART_ROWS = 1 << 14  # a few megabytes of text
MAX_ROWS_TOGETHER = 1 << 20  # rows without their texts that are compared at a time, about: 100 MB

Result = TypeVar("Result")


def map_parts(texts: pl.Series, function: Callable[[pl.Series], Result]) -> list[Result]:
    """Return `function` of each part of the texts, in their order, for any number of threads."""
    parts = (texts.slice(start, PART_ROWS) for start in range(0, max(texts.len(), 1), PART_ROWS))
    return list(map_threads(function, parts))


def map_threads(function: Callable[[Any], Result], parts: Iterable[Any]) -> Iterator[Result]:
    """Map on as many threads as polars has; polars and numpy release the interpreter's lock.

    Parts are taken as they are needed, so that few of them are in memory.
    """
    threads = pl.thread_pool_size()
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[Result]] = deque()
        for part in parts:
            pending.append(pool.submit(function, part))
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def hash_keys(keys: pl.Series) -> Array:
    """Return the digest of each key as two 64-bit integers."""
    digests = b"".join(blake2b(key.encode(), digest_size=16).digest() for key in keys.to_list())
    return np.frombuffer(digests, dtype="<u8").reshape(-1, 2)


def iter_equal(table: pl.LazyFrame, rows: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of a table (row, low, high, …) in parts that have all rows of a text, in their order.

    `low` and `high` are the digest; in their place is `key`, the number of the first row with the same text.
    """
    parts = max(-(-rows // MAX_ROWS_TOGETHER), 1)
    for number in range(parts):
        part = table.filter(pl.col("low") % parts == number).collect(engine="streaming")
        yield part.with_columns(key=pl.col("row").min().over("low", "high")).drop("low", "high")


def first_occurrences(digests: Array) -> pl.Series:
    """Return for each row the number of the first row with the same digest."""
    rows = pl.DataFrame(digests, schema=["low", "high"]).with_row_index("row")
    return rows.select(pl.col("row").min().over("low", "high")).to_series()
