"""Calls of stages on other rows than the project's, with all options that dvc.yaml gives them."""

from pathlib import Path

from gazette.pipeline import cmdline


def stage_command(stage: str, **paths: str) -> list[str]:
    """Return the command of a stage in a folder of its own: each file under its name in dvc.yaml, but for `paths`."""
    options = cmdline.stage_paths(cmdline.read_params())[stage]
    named = {option: Path(path).name for option, path in options.items()} | paths
    return ["gazette", stage, *(f"--{option}={path}" for option, path in named.items())]
