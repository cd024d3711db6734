"""The project in which a command was called, and the terminal."""

import sys
from pathlib import Path
from typing import Any

from gazette.data.paths import DESCRIPTIONS


def params() -> dict[str, Any]:
    """The numbers of `params.yaml`, where the command was called."""
    from gazette.core import files

    return files.read_yaml(Path("params.yaml"))


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


def renew_receipt() -> None:
    """Takes away the receipt of a version that today's registry has not, so that `register` runs for this one too."""
    from gazette.pipeline import cmdline
    from gazette.registry.store import address

    if not DESCRIPTIONS.exists():  # the flow runs any DVC project
        return
    options = cmdline.paths(params())["register"]
    if not address.is_current(Path(options["version"])):
        Path(options["receipt"]).unlink(missing_ok=True)
