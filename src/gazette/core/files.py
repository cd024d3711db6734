"""Small files: JSON, written atomically and deterministically, and a hardened YAML reader."""

import json
from collections.abc import Callable, Collection
from contextlib import suppress
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

from prefect_dvc.core import atomic, conflicts
from prefect_dvc.core.errors import ConfigError, DataContractError
from prefect_dvc.core.escape import escape
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionStartEvent
from ruamel.yaml.main import CParser  # type: ignore[attr-defined]
from ruamel.yaml.parser import Parser

from gazette.core.escape import quote

MAX_DEPTH = 20  # levels of lists and mappings in a YAML file


class NotJsonError(DataContractError):
    """A line is no JSON, as one that was written in part."""


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write a record as JSON, keys in order, floats to six decimals; raises ValueError if a number is not finite."""
    atomic.write_text(path, json.dumps(_round(record), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a record from a JSON file."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def parse_line(line: bytes, keys: Collection[str], place: str) -> dict[str, str]:
    """Parse a line of JSON as an object with exactly these keys, all of them texts; raises DataContractError if not.

    It is a NotJsonError if the line is no JSON at all.
    """
    try:
        record = json.loads(line)
        json.dumps(record, ensure_ascii=False).encode()  # a lone surrogate is not a text
    except (ValueError, RecursionError) as error:
        raise NotJsonError(f"{place}: not JSON in UTF-8: {escape(str(error))}") from None
    if (
        not isinstance(record, dict)
        or set(record) != set(keys)
        or not all(isinstance(value, str) for value in record.values())
    ):
        raise DataContractError(f"{place}: expected an object with the texts {', '.join(sorted(keys))}")
    return record


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a mapping from a YAML 1.2 file; raises ConfigError if the file is missing or holds anything else."""
    if not path.is_file():
        raise ConfigError(describe_missing(path))
    return parse_yaml(path.read_bytes(), path)


def describe_missing(path: Path) -> str:
    """Describe a file that is missing; if a folder above has it, that is where the command belongs."""
    above = find_above(path)
    return f"{path}: no such file in {Path.cwd()}" + (f"; {above} has it: run the command there" if above else "")


def find_above(path: Path) -> Path | None:
    """Return the nearest folder above the working directory that has a file, or None."""
    return next((folder for folder in Path.cwd().parents if (folder / path).is_file()), None)


def parse_yaml(text: str | bytes, where: object) -> dict[str, Any]:
    """Parse a mapping in YAML 1.2; raises ConfigError with `where` if it is anything else.

    Aliases are rejected, since a few lines of them can expand to gigabytes, and so is nesting beyond `MAX_DEPTH`.
    """
    if isinstance(text, bytes):
        _check_utf8(text, where)
    try:
        loaded = deepcopy(_load(text))
    except _NotPlainError as error:
        raise ConfigError(
            f"{where}, line {error.problem_mark.line + 1}: {error.problem}; write the values out"
        ) from None
    except YAMLError as error:
        content = text.encode(errors="replace") if isinstance(text, str) else text
        marker = conflicts.describe_marker(content, where)
        raise ConfigError(marker or f"{where} is not YAML: {_describe_fault(error)}") from None
    if not isinstance(loaded, dict):
        empty = ": the file is empty" if loaded is None else ""
        raise ConfigError(f"{where}: expected keys and values, got {type(loaded).__name__}{empty}")
    return loaded


def _check_utf8(content: bytes, where: object) -> None:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{where}, line {line}: not UTF-8; save the file as UTF-8") from None


@lru_cache(maxsize=8)  # a run reads its dvc.lock up to six times
def _load(text: str | bytes) -> Any:
    """Load by the parser in C, which DVC uses; what it rejects, by the one in Python, ten times slower but clearer."""
    if CParser is not None:  # the base install may lack it
        with suppress(YAMLError):
            return _yaml(lambda loader: CParser(text)).load(text)
    return _yaml(Parser).load(text)


def _yaml(parser: Callable[..., Any]) -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Parser, yaml.Composer, yaml.Constructor = parser, _PlainComposer, _PlainConstructor
    return yaml


def _describe_fault(error: YAMLError) -> str:
    """Return line and problem, without the reader's advice on its own settings."""
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return str(error)
    hint = "; indent by spaces, not by tabs" if "'\\t'" in str(error.problem) else ""
    return f"line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}: {error.problem}{hint}"


class _NotPlainError(MarkedYAMLError):
    """An alias, or too many levels."""


class _PlainComposer(Composer):
    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if isinstance(event, AliasEvent):
            raise _NotPlainError(problem="an alias (*)", problem_mark=event.start_mark)
        if isinstance(event, CollectionStartEvent) and self.depth >= MAX_DEPTH:
            raise _NotPlainError(problem=f"more than {MAX_DEPTH} levels", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


class _PlainConstructor(SafeConstructor):
    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError) as error:  # 2024-02-30, !!bool x
            value = f"{quote(node.value)}: " if isinstance(node.value, str) else ""
            problem = f"{value}{error}; correct it, or put it in quotes if it is a text"
            raise ConstructorError(problem=problem, problem_mark=node.start_mark) from None


def _round(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _round(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_round(inner) for inner in value]
    return value
