"""Small files: figures as JSON and CSV, the same bytes for the same figures, whole or not there at all; and YAML."""

import json
from pathlib import Path
from typing import Any

import polars as pl
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gazette.errors import Misconfigured


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


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping at `path`, by YAML 1.2; raises Misconfigured where the file is missing, or is something else."""
    if not path.exists():
        raise Misconfigured(f"{path}: no such file in {Path.cwd()}")
    try:
        loaded = YAML(typ="safe").load(path)
    except YAMLError as error:
        raise Misconfigured(f"{path} is not YAML: {error}") from None
    if not isinstance(loaded, dict):
        raise Misconfigured(f"{path}: expected keys and values, got {type(loaded).__name__}")
    return loaded


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
