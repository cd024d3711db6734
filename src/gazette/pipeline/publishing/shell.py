"""git and dvc as commands of a run that nobody watches: they never ask, and run no hook of a person's."""

import subprocess
from pathlib import Path

from gazette.core.errors import Misconfigured
from gazette.pipeline.execution import run

# No hook (DVC installs some), nothing that goes on in the background.
_GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "maintenance.auto=false", "-c", "gc.auto=0")


def git(folder: Path, *words: str) -> str:
    """What a git command says; raises Misconfigured, with what git says of it, where it fails."""
    said, refused = _tried(folder, *_GIT, *words)
    if refused:
        raise Misconfigured(f"`git {' '.join(words)}` in {folder}:\n{refused}")
    return said


def refusal(folder: Path, *words: str) -> str:
    """What git says against a command; nothing where it succeeds."""
    return _tried(folder, *_GIT, *words)[1]


def dvc(folder: Path, *words: str, check: bool = False) -> str:
    """What dvc says against a command, nothing where it succeeds; raises Misconfigured instead if it is to `check`."""
    _, refused = _tried(folder, "dvc", *words)
    if refused and check:
        raise Misconfigured(f"`dvc {' '.join(words)}` in {folder}:\n{refused}")
    return refused


def _tried(folder: Path, *command: str) -> tuple[str, str]:
    """What a command says; and where it fails, what it says of that. It never asks."""
    environment = run.environment({"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"})
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    failed = (done.stderr or done.stdout).strip() or f"ended with {done.returncode}"
    return done.stdout.rstrip("\n"), failed if done.returncode else ""
