"""The path of each option of each stage, read from `cmd:` in `dvc.yaml`, the only file that has paths."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gazette.core import files
from gazette.core.errors import ConfigError


def stage_paths(params: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the path by stage (`train@cnn` for a candidate) and option, templates filled in."""
    paths = {}
    for name, definition in files.read_yaml(Path("dvc.yaml"))["stages"].items():
        command = definition.get("do", definition)["cmd"]
        for suffix, values in _instances(name, definition, params).items():
            paths[name + suffix] = parse_options(fill_template(command, params | values))
    return paths


def _instances(name: str, definition: dict[str, Any], params: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the suffix of each stage that a definition stands for, with the values of its `${key}` and `${item}`."""
    if "matrix" in definition:
        return {f"@{candidate}": {"item": {"candidate": candidate}} for candidate in params["candidates"]}
    if "foreach" not in definition:
        return {"": {}}
    section = definition["foreach"].strip("${}")
    items = look_up(params, section)
    if items is None:
        raise ConfigError(f"params.yaml has no {section}, which stage {name} is defined for")
    return {f"@{candidate}": {"key": candidate, "item": item} for candidate, item in items.items()}


def fill_template(text: str, values: Mapping[str, Any]) -> str:
    """Replace each `${dotted.key}` by its value."""
    return re.sub(r"\$\{([\w.]+)\}", lambda match: str(look_up(values, match[1])), text)


def look_up(values: Any, key: str) -> Any:
    """Return the value of a dotted key in nested mappings; None if it does not exist."""
    for word in key.split("."):
        values = values.get(word) if isinstance(values, Mapping) else None
    return values


def parse_options(command: str) -> dict[str, str]:
    """Return the options of `gazette <stage> --option value …`."""
    words = shlex.split(command)[2:]
    return {
        option.removeprefix("--").replace("-", "_"): value
        for option, value in zip(words[::2], words[1::2], strict=True)
    }
