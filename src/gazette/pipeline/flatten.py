"""Nested mappings, such as params: each value by its dotted key, and the values in which two of them differ."""

from collections.abc import Mapping
from typing import Any


def leaves(value: Any, key: str = "", lists: bool = False) -> dict[str, Any]:
    """The values of nested mappings by dotted key, and of lists in them by `key[0]` where asked for.

    What is empty is a value too, or what came to be empty would differ in nothing.
    """
    if isinstance(value, Mapping) and (value or not key):
        inside = {f"{key}.{name}" if key else str(name): inner for name, inner in value.items()}
    elif lists and isinstance(value, list):
        inside = {f"{key}[{number}]": inner for number, inner in enumerate(value)}
    else:
        return {key: value}
    return {name: leaf for inner, found in inside.items() for name, leaf in leaves(found, inner, lists).items()}


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """The values that differ, sorted by key: key, before, after; none where one side has none."""
    old, new = leaves(before), leaves(after)
    return [(key, old.get(key), new.get(key)) for key in sorted(old | new) if old.get(key) != new.get(key)]
