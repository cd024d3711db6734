"""CSV for a spreadsheet: with a byte order mark, so that no character is garbled, and without formulas."""

from pathlib import Path

import polars as pl
from prefect_dvc.core import atomic


def write_spreadsheet(path: Path, table: pl.DataFrame) -> None:
    """Write `table` atomically, floats with six decimals.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, "CSV Injection").
    """
    harmless = table.with_columns(pl.col(pl.String).str.replace(r"^[=+\-@\t\r\n＝＋－＠]", "'${0}"))
    with atomic.atomic_path(path) as partial:
        harmless.write_csv(partial, include_bom=True, float_precision=6)
