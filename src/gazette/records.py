"""Figures as files: JSON that is the same bytes for the same figures, whole or not there at all."""

import json
from pathlib import Path
from typing import Any

import polars as pl


def write(record: dict[str, Any], path: Path) -> None:
    """Writes figures as JSON in their own order, floats to six decimals; a figure that is not finite is refused."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(
        json.dumps(_rounded(record), indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
    partial.rename(path)


def read(path: Path) -> dict[str, Any]:
    """The figures at `path`."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return value


def write_csv(table: pl.DataFrame, path: Path) -> None:
    """Writes a small table of figures as CSV, for `dvc plots` and for a reviewer's diff; floats to six decimals."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    table.write_csv(partial, float_precision=6)
    partial.rename(path)
