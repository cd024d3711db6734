"""The path of each option of each stage, read from `cmd:` in `dvc.yaml`, the only file that has paths."""

import shlex
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from gazette.core import files
from gazette.core.errors import ConfigError


def stage_paths(params: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the path by stage (`train@cnn` for a candidate) and option, templates filled in."""
    paths = {}
    for name, stage in files.read_yaml(Path("dvc.yaml"))["stages"].items():
        command = stage.get("do", stage)["cmd"].replace("${corpus}", params["corpus"])
        if "matrix" in stage:
            for candidate in params["candidates"]:
                paths[f"{name}@{candidate}"] = parse_options(command.replace("${item.candidate}", candidate))
        elif "foreach" in stage:
            keys = stage["foreach"].removeprefix("${").removesuffix("}").split(".")
            try:
                items = reduce(getitem, keys, params)
            except KeyError:
                raise ConfigError(f"params.yaml has no {'.'.join(keys)}, which stage {name} is defined for") from None
            for candidate, item in items.items():
                paths[f"{name}@{candidate}"] = parse_options(
                    command.replace("${key}", candidate).replace("${item}", item)
                )
        else:
            paths[name] = parse_options(command)
    return paths


def parse_options(command: str) -> dict[str, str]:
    """Return the options of `gazette <stage> --option value …`."""
    words = shlex.split(command)[2:]
    return {
        option.removeprefix("--").replace("-", "_"): value
        for option, value in zip(words[::2], words[1::2], strict=True)
    }
