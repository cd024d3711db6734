"""Tables as files, written atomically and deterministically: Parquet, and CSV for `dvc plots` and readable diffs."""

from pathlib import Path

import polars as pl
from prefect_dvc.core import atomic

ROW_GROUP = 1 << 17  # rows; stated, so that the bytes do not depend on how the rows arrive


def write_parquet(path: Path, table: pl.DataFrame) -> None:
    """Write a table as Parquet; rows keep their order, so equal tables give equal bytes."""
    with atomic.atomic_path(path) as partial:
        table.write_parquet(partial)


def sink_parquet(path: Path, table: pl.LazyFrame) -> None:
    """Write a table as Parquet while it is computed, so that it need not fit in memory."""
    with atomic.atomic_path(path) as partial:
        table.sink_parquet(partial, row_group_size=ROW_GROUP, engine="streaming")


def write_csv(path: Path, table: pl.DataFrame) -> None:
    """Write a small table as CSV, floats to six decimals."""
    with atomic.atomic_path(path) as partial:
        table.write_csv(partial, float_precision=6)
