"""Git, by its command: commits, files of a commit, and the commit that a bundle belongs to."""

import subprocess
from pathlib import Path

from gazette.core.errors import Misconfigured


def said(*words: str, folder: Path = Path()) -> str:
    """What a git command says; raises Misconfigured, with what git says of it, where it fails."""
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Misconfigured(f"`git {' '.join(words)}` in {folder.absolute()}: {done.stderr.strip()}")
    return done.stdout.strip()


def commit(revision: str, folder: Path = Path()) -> str:
    """The full hash of the commit that a revision names; raises Misconfigured where git knows none."""
    found = _commit(revision, folder)
    if not found:
        raise Misconfigured(f"git knows no revision {revision!r} here; in a shallow clone, run `git fetch --unshallow`")
    return found


def knows(revision: str, folder: Path = Path()) -> bool:
    """Whether a revision names a commit here."""
    return bool(_commit(revision, folder))


def file(revision: str, path: str, folder: Path = Path()) -> str | None:
    """The text of a file under git at a revision; none where it is not there."""
    found = subprocess.run(
        ["git", "show", f"{revision}:./{path}"], cwd=folder, capture_output=True, text=True, check=False
    )
    return None if found.returncode else found.stdout


def content(revision: str, path: str, folder: Path = Path()) -> bytes:
    """The bytes of a file under git at a revision; none where it is not there."""
    return subprocess.run(["git", "show", f"{revision}:./{path}"], cwd=folder, capture_output=True, check=False).stdout


def history(path: str, *words: str, folder: Path = Path()) -> list[str]:
    """The commits that changed a file, of those that `words` of `git log` take, the oldest first."""
    return said("log", *words, "--reverse", "--format=%H", "--", path, folder=folder).split()


def naming(digest: str, folder: Path = Path()) -> list[str]:
    """The commits that brought a hash into `dvc.lock`, the oldest first: of branches and tags, not of experiments."""
    kept = ("--branches", "--remotes", "--tags", "HEAD")
    changed = history("dvc.lock", *kept, f"-S{digest}", folder=folder)
    return [one for one in changed if digest in (file(one, "dvc.lock", folder) or "")]


def _commit(revision: str, folder: Path) -> str:
    words = ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False).stdout.strip()
