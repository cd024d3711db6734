"""The project in which a command was called, and the terminal."""

import sys
from pathlib import Path
from typing import Any

from gazette.places import DESCRIPTIONS


def params() -> dict[str, Any]:
    """The numbers of `params.yaml`, where the command was called."""
    from gazette import records

    return records.read_yaml(Path("params.yaml"))


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


def renew_receipt() -> None:
    """Takes away the receipt of a version that today's registry has not, so that `register` runs for this one too."""
    from gazette import registration, wiring

    if not DESCRIPTIONS.exists():  # the flow runs any DVC project
        return
    options = wiring.paths(params())["register"]
    if not registration.is_current(Path(options["version"])):
        Path(options["receipt"]).unlink(missing_ok=True)
