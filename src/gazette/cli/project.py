"""The project in which a command was called, and the terminal."""

import sys
from pathlib import Path
from typing import Any


def params() -> dict[str, Any]:
    """The numbers of `params.yaml`, where the command was called."""
    from gazette import records

    return records.read_yaml(Path("params.yaml"))


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()
