"""Which path each stage has for each of its options, read off `cmd:` in `dvc.yaml`, where alone paths stand."""

import shlex
from pathlib import Path
from typing import Any

from gazette.core import files


def paths(params: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Stage (`train@cnn` for a candidate) to option to path, templates filled in."""
    wired = {}
    for name, stage in files.read_yaml(Path("dvc.yaml"))["stages"].items():
        command = stage.get("do", stage)["cmd"].replace("${corpus}", params["corpus"])
        if "matrix" in stage:
            for candidate in params["candidates"]:
                wired[f"{name}@{candidate}"] = options(command.replace("${item.candidate}", candidate))
        elif "foreach" in stage:
            kind = stage["foreach"].removeprefix("${further.").removesuffix("}")
            for candidate, item in params.get("further", {}).get(kind, {}).items():
                wired[f"{name}@{candidate}"] = options(command.replace("${key}", candidate).replace("${item}", item))
        else:
            wired[name] = options(command)
    return wired


def options(command: str) -> dict[str, str]:
    """The options of `gazette <stage> --option value …`."""
    words = shlex.split(command)[2:]
    return {
        option.removeprefix("--").replace("-", "_"): value
        for option, value in zip(words[::2], words[1::2], strict=True)
    }
