"""Tables as files, written atomically and deterministically: Parquet, and CSV for `dvc plots` and readable diffs."""

from pathlib import Path

import polars as pl

from gazette.core import atomic


def write_parquet(path: Path, table: pl.DataFrame) -> None:
    """Write a table as Parquet; rows keep their order, so equal tables give equal bytes."""
    with atomic.atomic_path(path) as partial:
        table.write_parquet(partial)


def write_csv(path: Path, table: pl.DataFrame) -> None:
    """Write a small table as CSV, floats to six decimals."""
    with atomic.atomic_path(path) as partial:
        table.write_csv(partial, float_precision=6)
