"""Errors that end a command, and their exit codes.

    CommandError               the message is for the user, `code` is the exit code
    ├── ConfigError        2   the command line, or a file of settings
    └── DataContractError  3   the data break their contract

Any other exception is a bug, and exits with 70.
"""

import math
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from prefect_dvc.core.escape import MAX_SHOWN, escape

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

Section = TypeVar("Section", bound="BaseModel")


class CommandError(Exception):
    """An error with a message for the user: what happened, where, what was expected, and what to do."""

    code = 70


class ConfigError(CommandError):
    """The command line or a file of settings is invalid, or a server does not answer."""

    code = 2


class DataContractError(CommandError):
    """The data break their contract; no later stage may use them."""

    code = 3


def parse(section: "type[Section]", values: object, where: str) -> "Section":
    """Parse `values` as a `section`; raises ConfigError with a line per key that is missing, unknown or out of bounds.

    So does anything but a dictionary. Types are strict: `"3"`, `true` and `3.0` are not integers. A number is finite.
    """
    from pydantic import ValidationError

    try:
        parsed = section.model_validate(values, strict=True)
    except ValidationError as error:
        raise to_config_error(error, where, section.model_fields) from None
    if infinite := {key: value for key, value in parsed if isinstance(value, float) and math.isinf(value)}:
        lines = [f"{where}: {key}: expected a finite number, got {value}" for key, value in infinite.items()]
        raise ConfigError("\n".join(lines))
    return parsed


def to_config_error(error: "ValidationError", where: str, keys: Iterable[str] = ()) -> ConfigError:
    """Return pydantic's error as a ConfigError with a line per key; `keys` are those that exist."""
    faults = [fault for fault in error.errors(include_url=False) if fault["type"] != "default_factory_not_called"]
    faults.sort(key=lambda fault: fault["type"] != "extra_forbidden")
    return ConfigError("\n".join(f"{where}: {_describe(fault, set(keys))}" for fault in faults))


def _describe(fault: Any, keys: set[str]) -> str:
    key = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(key, sorted(keys), n=1)
        return f"{key}: no such key" + (f"; did you mean {near[0]}?" if near else "")
    if fault["type"] == "missing":
        return f"{key}: missing"
    name = f"{key}: " if key else ""
    if fault["type"] == "string_type" and isinstance(fault["input"], int | float | date):  # as YAML reads a bare one
        return f"{name}expected a text, got {fault['input']}; put it in quotes"
    expected = "expected true or false" if fault["type"] == "bool_type" else fault["msg"].removeprefix("Value error, ")
    if not key and fault["type"] == "value_error":  # of the whole, which the message names better than its value does
        return str(expected)
    return f"{name}{expected}, got {escape(repr(fault['input'])[: 2 * MAX_SHOWN], 80)}"
