"""What the processes of a run inherit of this process's environment.

All of it, but for the variables by which git exports the repository of a hook, and with telemetry off. A project that
is stricter names a function in the variable PREFECT_DVC_ENVIRONMENT, `module:function`, which returns what is
inherited instead.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from pkgutil import resolve_name

from prefect_dvc import git_environment
from prefect_dvc.core.errors import ConfigError

POLICY = "PREFECT_DVC_ENVIRONMENT"
QUIET = {"DO_NOT_TRACK": "true", "DVC_NO_ANALYTICS": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}  # no telemetry
UNUSABLE = {
    os.pathsep: "separates the entries of PYTHONPATH",
    "{": "begins a field of what DVC prints",
    "}": "ends a field of what DVC prints",
}


def child_environment(extra: Mapping[str, str] | None = None, tree: Path | None = None) -> dict[str, str]:
    """Return what a child inherits: our commands first on the path, output unbuffered.

    With a `tree`, that tree's code comes first. `extra` is added.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    settings = {"PATH": path, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}
    if tree and (sources := source_folders(tree)):
        code = [*map(str, sources), os.environ.get("PYTHONPATH", "")]
        settings["PYTHONPATH"] = os.pathsep.join(filter(None, code))
    return inherited((extra or {}).get(POLICY, "")) | settings | dict(extra or {})


def source_folders(tree: Path) -> list[Path]:
    """Return the folders of a tree that hold packages of Python: `src`, and `packages/*/src` of a workspace."""
    check_path(tree)
    top = tree.absolute()
    return [folder for folder in (top / "src", *sorted(top.glob("packages/*/src"))) if folder.is_dir()]


def check_path(folder: Path) -> None:
    """Raise ConfigError if a character in the path of a folder keeps Python or DVC from running in it."""
    path = str(folder.absolute())
    for character in filter(path.__contains__, UNUSABLE):
        raise ConfigError(f"{path}: `{character}` {UNUSABLE[character]}; rename the folder")


def inherited(policy: str = "") -> dict[str, str]:
    """Return what is inherited by a policy, by default that of PREFECT_DVC_ENVIRONMENT."""
    if name := policy or os.environ.get(POLICY, ""):
        try:
            function = resolve_name(name)
        except (ValueError, ImportError, AttributeError) as error:
            raise ConfigError(
                f"{POLICY}={name}: expected module:function, of a module that is installed: {error}"
            ) from error
        return dict(function())
    return {name: value for name, value in os.environ.items() if git_environment.passes(name)} | QUIET
