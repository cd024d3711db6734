"""Git, by its command: commits, files of a commit, and the commits that a bundle belongs to.

Git never prompts here, and it runs no hook (DVC installs some) and no background maintenance.
"""

import os
import subprocess
from pathlib import Path

from gazette.core.errors import ConfigError

_GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "maintenance.auto=false", "-c", "gc.auto=0")


def run(*words: str, folder: Path = Path(), stdin: str = "") -> str:
    """Run a git command and return its stdout; raises ConfigError with its stderr if it fails."""
    result = _call(*words, folder=folder, stdin=stdin)
    if error := _error(result):
        raise ConfigError(f"`git {' '.join(words)}` in {folder.absolute()}: {error}")
    return result.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def run_or_error(*words: str, folder: Path = Path()) -> str:
    """Run a git command and return why it failed; empty if it succeeded."""
    return _error(_call(*words, folder=folder))


def output(*words: str, folder: Path = Path()) -> bytes:
    """Run a git command and return its stdout; empty if it fails, as outside a repository."""
    result = _call(*words, folder=folder)
    return b"" if result.returncode else result.stdout


def resolve_commit(revision: str, folder: Path = Path()) -> str:
    """Return the full hash of the commit that a revision names; raises ConfigError if git does not know it."""
    commit = output("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", folder=folder).decode().strip()
    if not commit:
        raise ConfigError(f"git knows no revision {revision!r} here; in a shallow clone, run `git fetch --unshallow`")
    return commit


def is_commit(revision: str) -> bool:
    """Check whether a revision names a commit here."""
    return not run_or_error("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")


def show(revision: str, path: str) -> str | None:
    """Return the text of a file at a revision; None if it does not exist there."""
    result = _call("show", f"{revision}:./{path}")
    return None if result.returncode else result.stdout.decode("utf-8").replace("\r\n", "\n")


def show_bytes(revision: str, path: str, folder: Path = Path()) -> bytes:
    """Return the bytes of a file at a revision; empty if it does not exist there."""
    return output("show", f"{revision}:./{path}", folder=folder)


def list_commits(path: str, *words: str) -> list[str]:
    """List the commits that changed a file, oldest first; `words` are options of `git log` that select commits."""
    return run("log", *words, "--reverse", "--format=%H", "--", path).split()


def commits_adding(digest: str) -> list[str]:
    """List the commits that brought a hash into `dvc.lock`, oldest first: on branches and tags, not of experiments."""
    changed = list_commits("dvc.lock", "--branches", "--remotes", "--tags", "HEAD", f"-S{digest}")
    return [commit for commit in changed if digest in (show(commit, "dvc.lock") or "")]


def _call(*words: str, folder: Path = Path(), stdin: str = "") -> "subprocess.CompletedProcess[bytes]":
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}
    return subprocess.run(
        [*_GIT, *words], cwd=folder, env=environment, input=stdin.encode(), capture_output=True, check=False
    )


def _error(result: "subprocess.CompletedProcess[bytes]") -> str:
    if not result.returncode:
        return ""
    return (result.stderr or result.stdout).decode(errors="replace").strip() or f"exit code {result.returncode}"
