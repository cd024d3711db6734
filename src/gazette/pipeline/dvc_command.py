"""DVC as a command, for what needs a separate process."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from gazette.core.errors import ConfigError
from gazette.pipeline.execution import run as execution


def run(*words: str, folder: Path) -> str:
    """Run a DVC command and return its stdout; raises ConfigError with its stderr if it fails."""
    result = _call(words, folder)
    if result.returncode:
        raise ConfigError(f"`dvc {' '.join(words)}` in {folder}:\n{_error(result)}")
    return result.stdout.strip()


def run_or_error(*words: str, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a DVC command, by default in this environment, and return why it failed; empty if it succeeded."""
    result = _call(words, folder, environment)
    return _error(result) if result.returncode else ""


def _call(
    words: tuple[str, ...], folder: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "dvc", *words],
        cwd=folder,
        env=environment or execution.child_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _error(result: "subprocess.CompletedProcess[str]") -> str:
    return (result.stderr or result.stdout).strip() or f"exit code {result.returncode}"
