"""What git knows of the ledger: commits that changed its lines, and lines that are in no commit."""

from pathlib import Path

from prefect_dvc import git

from gazette.registry import ledger


def rewritten_commits(path: Path = ledger.PATH) -> list[str]:
    """Return the commits and files in which earlier lines changed; git detects what the chain alone cannot."""
    errors = []
    for commit in git.list_commits(str(path), "HEAD"):
        for parent in git.run("rev-list", "--parents", "--max-count=1", commit).split()[1:]:
            if not git.show_bytes(commit, str(path)).startswith(git.show_bytes(parent, str(path))):
                errors.append(f"commit {commit[:9]}: changed lines of {path} that {parent[:9]} had")
    here = path.read_bytes() if path.exists() else b""
    if not here.startswith(git.show_bytes("HEAD", str(path))):
        errors.append(f"{path}: committed lines were changed since")
    return errors


def count_uncommitted(path: Path = ledger.PATH) -> int:
    """Return the number of lines that are in no commit yet."""
    return len(ledger.read_lines(path)) - git.show_bytes("HEAD", str(path)).count(b"\n")
