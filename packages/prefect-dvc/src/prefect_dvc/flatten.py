"""Nested mappings such as params: their values by dotted key, and the differences of two of them."""

from collections.abc import Mapping
from typing import Any


def flatten(value: Any, key: str = "", lists: bool = False) -> dict[str, Any]:
    """Return the values of nested mappings by dotted key; with `lists`, those of lists by `key[0]` too.

    An empty mapping is a value too; otherwise a section that became empty would show no difference.
    """
    if isinstance(value, Mapping) and (value or not key):
        inside = {f"{key}.{name}" if key else str(name): inner for name, inner in value.items()}
    elif lists and isinstance(value, list):
        inside = {f"{key}[{number}]": inner for number, inner in enumerate(value)}
    else:
        return {key: value}
    return {name: leaf for path, inner in inside.items() for name, leaf in flatten(inner, path, lists).items()}


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return the values that differ as (key, before, after), sorted by key; None if a side lacks the key."""
    old, new = flatten(before), flatten(after)
    return [(key, old.get(key), new.get(key)) for key in sorted(old | new) if old.get(key) != new.get(key)]
