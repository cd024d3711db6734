"""Patches of params.yaml that change values and no other character."""

import difflib
import json
from typing import Any

import numpy as np
from ruamel.yaml import YAML


def patch_params(text: str, section: tuple[str, ...], values: dict[str, Any]) -> str:
    """Return `text` with new values at dotted keys below a section; all of these keys exist."""
    root = YAML(pure=True).compose(text)
    nodes = [(_find(root, (*section, *key.split("."))), value) for key, value in values.items()]
    for node, value in sorted(nodes, key=lambda pair: pair[0].start_mark.index, reverse=True):
        text = text[: node.start_mark.index] + _render(value) + text[_end(node) :]
    return text


def diff(before: str, after: str) -> str:
    """Return the difference as `diff -u` shows it."""
    lines = (before.splitlines(True), after.splitlines(True))
    return "".join(difflib.unified_diff(*lines, "params.yaml", "params.yaml"))


def _render(value: Any) -> str:
    """Render a value on one line: small numbers without an exponent, words without quotes if they stay words."""
    if isinstance(value, float):
        return np.format_float_positional(value, trim="0")
    if isinstance(value, str) and value.isidentifier() and YAML(typ="safe", pure=True).load(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _find(node: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        node = next(inner for name, inner in node.value if name.value == key)
    return node


def _end(node: Any) -> int:
    """Return where a value ends; a block list ends with its last item, not where the next key begins."""
    while isinstance(node.value, list) and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.index)
