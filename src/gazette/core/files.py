"""Small files: figures as JSON and CSV, the same bytes for the same figures, whole or not there at all; and YAML."""

import json
from pathlib import Path
from typing import Any

import polars as pl
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from gazette.core import atomic
from gazette.core.errors import Misconfigured

DEEPEST = 20  # levels of lists and mappings in a YAML file


def write(record: dict[str, Any], path: Path) -> None:
    """Writes figures as JSON in their own order, floats to six decimals; a figure that is not finite is refused."""
    atomic.write(json.dumps(_rounded(record), indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def read(path: Path) -> dict[str, Any]:
    """The figures at `path`."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping at `path`, by YAML 1.2; raises Misconfigured where the file is missing, or is something else.

    Aliases are refused, for a few lines of them unfold to gigabytes, and so is what is nested beyond `DEEPEST`. The
    reader is the one in Python: the one in C, which comes with other packages, reads YAML 1.1.
    """
    if not path.is_file():
        raise Misconfigured(f"{path}: no such file in {Path.cwd()}")
    try:
        depth = 0
        for event in YAML(typ="safe", pure=True).parse(path.read_bytes()):
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if isinstance(event, AliasEvent) or depth > DEEPEST:
                what = "an alias (*)" if isinstance(event, AliasEvent) else f"more than {DEEPEST} levels"
                raise Misconfigured(f"{path}, line {event.start_mark.line + 1}: {what}; write the values out")
        loaded = YAML(typ="safe", pure=True).load(path)
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
    with atomic.written(path) as partial:
        table.write_csv(partial, float_precision=6)
