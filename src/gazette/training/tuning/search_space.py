"""Ranges: which numbers of a model may vary, and within what; section `tune.<candidate>` of params.yaml.

learning_rate: {low: 0.0003, high: 0.003, log: true}   from low to high, whole numbers where both are whole
filters: [64, 128, 256]                                one of these; numbers, words, true and false, or lists
head.units: [32, 64]                                   a dot where the model's section is nested
"""

import copy
import json
from typing import Any

from pydantic import BaseModel, Field, model_validator

from gazette.core.errors import Misconfigured, parse

DIGITS = 3  # significant ones of a number that is not whole: what stands in params.yaml is read by people


class Span(BaseModel, frozen=True, extra="forbid"):
    """From `low` to `high`, both included; `log`: as many tries between 1 and 10 as between 10 and 100."""

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

    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def ends(self) -> list[Any]:
        """The values farthest from each other."""
        return [self.low, self.high]

    def holds(self, value: Any) -> bool:
        """Whether a value is in the range."""
        kinds = int if self.whole() else int | float
        return isinstance(value, kinds) and not isinstance(value, bool) and self.low <= value <= self.high

    def written(self, value: Any) -> Any:
        """A drawn number as it will stand in params.yaml."""
        return value if self.whole() else min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)


class Choice(BaseModel, frozen=True, extra="forbid"):
    """One of `values`."""

    values: list[Any] = Field(min_length=2)

    def ends(self) -> list[Any]:
        """All of them."""
        return self.values

    def holds(self, value: Any) -> bool:
        """Whether a value is among them; `1` is not `true`."""
        return json.dumps(value) in map(json.dumps, self.values)


Range = Span | Choice


def read(section: Any, model: dict[str, Any], candidate: str) -> dict[str, Range]:
    """The ranges of a candidate by key; raises Misconfigured where one is none, or the model's own value is outside."""
    where = f"params.yaml, section tune.{candidate}"
    if not isinstance(section, dict) or not section:
        raise Misconfigured(f"{where}: expected keys of models.{candidate} with ranges; docs/tuning.md has the grammar")
    found: dict[str, Range] = {}
    for key, given in section.items():
        values = given if isinstance(given, dict) else {"values": given}
        kind: type[Range] = Span if isinstance(given, dict) else Choice
        found[key] = parse(kind, values, f"{where}.{key}")
        now = value(model, key, candidate)
        if not found[key].holds(now):
            raise Misconfigured(f"{where}.{key}: models.{candidate}.{key} is {now}, outside of its range; widen that")
    return found


def value(model: dict[str, Any], key: str, candidate: str) -> Any:
    """What stands in a model's section at a dotted key; raises Misconfigured where there is no such key."""
    inner: Any = model
    for part in key.split("."):
        if not isinstance(inner, dict) or part not in inner:
            raise Misconfigured(f"params.yaml, section tune.{candidate}: models.{candidate} has no key {key}")
        inner = inner[part]
    return inner


def changed(model: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """A model's section with other values at dotted keys."""
    new = copy.deepcopy(model)
    for key, value in values.items():
        *outer, last = key.split(".")
        inner = new
        for part in outer:
            inner = inner[part]
        inner[last] = value
    return new
