"""DVC as a command, for what needs a separate process."""

import sys
from collections.abc import Mapping
from pathlib import Path

from prefect_dvc import supervisor
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.environment import child_environment


def run(*words: str, folder: Path) -> None:
    """Run a DVC command; raises ConfigError with its message if it fails."""
    if error := run_or_error(*words, folder=folder):
        raise ConfigError(f"`dvc {' '.join(words)}` in {folder}:\n{error}")


def run_or_error(*words: str, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a DVC command, by default in this environment, and return why it failed; empty if it succeeded."""
    return run_module("dvc", *words, folder=folder, environment=environment or child_environment())


def run_module(module: str, *words: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a module of Python as a command, which never prompts, and return why it failed; empty if it succeeded."""
    result = supervisor.capture([sys.executable, "-m", module, *words], environment, folder)
    if not result.returncode:
        return ""
    return (result.stderr or result.stdout).strip() or f"exit code {result.returncode}"
