"""Tables as files, written atomically and deterministically: Parquet, and CSV for `dvc plots` and readable diffs.

A path is the name of one file, of any bytes: polars by itself takes `[`, `*` and `?` in it for a pattern, and fails on
what is not UTF-8.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from prefect_dvc.core import atomic

from gazette.core.escape import is_unicode

ROW_GROUP = 1 << 17  # rows; stated, so that the bytes do not depend on how the rows arrive


def read_parquet(path: Path | str, **options: Any) -> pl.DataFrame:
    """Read a table from Parquet, with any option of polars."""
    with _opened(path) as source:
        return pl.read_parquet(source, glob=False, **options)


def scan_parquet(paths: Path | str | list[Path], **options: Any) -> pl.LazyFrame:
    """Return the table in a file, or in several, without reading it yet."""
    with _opened(paths) as source:
        return pl.scan_parquet(source, glob=False, **options)


def read_csv(path: Path | str, **options: Any) -> pl.DataFrame:
    """Read a table from CSV, with any option of polars."""
    with _opened(path) as source:
        return pl.read_csv(source, glob=False, **options)


@contextmanager
def _opened(paths: Path | str | list[Path]) -> Iterator[Any]:
    """Yield what polars can read: the paths, or a file that is open if its name is not UTF-8."""
    if isinstance(paths, list) or is_unicode(str(paths)):
        yield paths
    else:
        with Path(paths).open("rb") as file:
            yield file


def write_parquet(path: Path, table: pl.DataFrame) -> None:
    """Write a table as Parquet; rows keep their order, so equal tables give equal bytes."""
    with atomic.atomic_path(path) as partial, partial.open("wb") as file:
        table.write_parquet(file)


def sink_parquet(path: Path, table: pl.LazyFrame) -> None:
    """Write a table as Parquet while it is computed, so that it need not fit in memory."""
    with atomic.atomic_path(path) as partial:
        table.sink_parquet(partial, row_group_size=ROW_GROUP, engine="streaming")


def write_csv(path: Path, table: pl.DataFrame) -> None:
    """Write a small table as CSV, floats to six decimals."""
    with atomic.atomic_path(path) as partial:
        table.write_csv(partial, float_precision=6)
