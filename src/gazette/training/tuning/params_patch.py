"""A change of params.yaml: values in their places, and every other character as it was."""

import difflib
import json
from typing import Any

import numpy as np
from ruamel.yaml import YAML


def made(text: str, section: tuple[str, ...], values: dict[str, Any]) -> str:
    """`text` with other values at dotted keys below a section; all of these are there."""
    root = YAML(pure=True).compose(text)
    places = [(_found(root, (*section, *key.split("."))), value) for key, value in values.items()]
    for node, value in sorted(places, key=lambda place: place[0].start_mark.index, reverse=True):
        text = text[: node.start_mark.index] + _written(value) + text[_end(node) :]
    return text


def diff(before: str, after: str) -> str:
    """What differs, as `diff -u` shows it."""
    lines = (before.splitlines(True), after.splitlines(True))
    return "".join(difflib.unified_diff(*lines, "params.yaml", "params.yaml"))


def _written(value: Any) -> str:
    """A value in a line: small numbers without an exponent, words without quotes where they stay words."""
    if isinstance(value, float):
        return np.format_float_positional(value, trim="0")
    if isinstance(value, str) and value.isidentifier() and YAML(typ="safe", pure=True).load(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _found(node: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        node = next(inner for name, inner in node.value if name.value == key)
    return node


def _end(node: Any) -> int:
    """Where a value ends; a list of a line for each ends with its last one, not where the next key begins."""
    while isinstance(node.value, list) and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.index)
