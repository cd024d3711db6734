"""The search space of a candidate: a range per key, section `tune.<candidate>` of params.yaml.

learning_rate: {low: 0.0003, high: 0.003, log: true}   from low to high, integers if both are
filters: [64, 128, 256]                                one of these; numbers, words, booleans, or lists
head.units: [32, 64]                                   a dot for a nested key
"""

import copy
import json
from functools import reduce
from operator import getitem
from typing import Any

from prefect_dvc.core.errors import ConfigError, parse
from pydantic import BaseModel, Field, model_validator

DIGITS = 3  # significant digits of a float in params.yaml, which people read


class Span(BaseModel, frozen=True, extra="forbid"):
    """From `low` to `high`, inclusive; `log`: as many trials between 1 and 10 as between 10 and 100."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _is_a_span(self) -> "Span":
        if not self.low < self.high:
            raise ValueError("low must be below high")
        if self.log and self.low <= 0:
            raise ValueError("log needs a low above 0")
        return self

    def is_integer(self) -> bool:
        """Return whether only integers are allowed."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def ends(self) -> list[Any]:
        """Return the ends of the range."""
        return [self.low, self.high]

    def contains(self, value: Any) -> bool:
        """Return whether a value is in the range."""
        kinds = int if self.is_integer() else int | float
        return isinstance(value, kinds) and not isinstance(value, bool) and self.low <= value <= self.high

    def rounded(self, value: Any) -> Any:
        """Return a sampled number as params.yaml will show it."""
        return value if self.is_integer() else min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)


class Choice(BaseModel, frozen=True, extra="forbid"):
    """One of `values`."""

    values: list[Any] = Field(min_length=2)

    def ends(self) -> list[Any]:
        """Return all values."""
        return self.values

    def contains(self, value: Any) -> bool:
        """Return whether a value is one of them; `1` is not `true`."""
        return json.dumps(value) in map(json.dumps, self.values)


Range = Span | Choice


def read_space(section: Any, model: dict[str, Any], candidate: str) -> dict[str, Range]:
    """Return a candidate's ranges by key; raises ConfigError if one is invalid or excludes the current value."""
    where = f"params.yaml, section tune.{candidate}"
    if not isinstance(section, dict) or not section:
        raise ConfigError(f"{where}: expected keys of models.{candidate} with ranges; docs/tuning.md has the grammar")
    space: dict[str, Range] = {}
    for key, content in section.items():
        kind: type[Range] = Span if isinstance(content, dict) else Choice
        space[key] = parse(kind, content if kind is Span else {"values": content}, f"{where}.{key}")
        current = current_value(model, key, candidate)
        if not space[key].contains(current):
            raise ConfigError(f"{where}.{key}: models.{candidate}.{key} is {current}, outside of its range; widen it")
    return space


def current_value(model: dict[str, Any], key: str, candidate: str) -> Any:
    """Return a model's value at a dotted key; raises ConfigError if there is no such key."""
    try:
        return reduce(getitem, key.split("."), model)
    except (KeyError, TypeError):
        raise ConfigError(f"params.yaml, section tune.{candidate}: models.{candidate} has no key {key}") from None


def with_values(model: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return a model's section with new values at dotted keys."""
    new = copy.deepcopy(model)
    for key, value in values.items():
        *outer, last = key.split(".")
        reduce(getitem, outer, new)[last] = value
    return new
