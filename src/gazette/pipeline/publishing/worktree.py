"""A git worktree for one run, beside the tree of a person, removed however the run ends."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gazette.pipeline import state, storage
from gazette.pipeline.publishing.shell import git

HERE = "."  # the repository itself, for git a remote like any other
PREFIX = "retrain-"
LOCK = "retrain.lock"
REFS = "refs/retrain/"


@dataclass(frozen=True)
class Worktree:
    """A tree of the project's own repository, at the commit `base`, whose results go to a branch of a remote."""

    root: Path
    folder: Path
    base: str
    remote: str
    branch: str


@contextmanager
def worktree(root: Path, branch: str, remote: str = "", revision: str = "") -> Iterator[Worktree]:
    """A tree for one run at `revision`, or at the branch's head; with the project's cache, removed however it ends.

    Without a `remote` it is `origin`, or the repository itself where there is none.
    """
    remote = remote or ("origin" if "origin" in git(root, "remote").split() else HERE)
    git(root, "var", "GIT_COMMITTER_IDENT")  # git says now, not after hours, that it does not know who commits
    with _box(root) as folder:
        base = head(root, folder, remote, branch)
        if revision:
            base = git(root, "rev-parse", "--verify", f"{revision}^{{commit}}")
        _lay_out(root, folder, base)
        yield Worktree(root, folder, base, remote, branch)


@contextmanager
def tree(root: Path, revision: str) -> Iterator[Path]:
    """A tree to look at a revision in, with the project's cache; removed however it ends."""
    with _box(root) as folder:
        _lay_out(root, folder, revision)
        yield folder


def _lay_out(root: Path, folder: Path, revision: str) -> None:
    git(root, "worktree", "add", "--quiet", "--detach", str(folder), revision)
    storage.share(root, folder)


@contextmanager
def _box(root: Path) -> Iterator[Path]:
    """The place of a tree, in a folder that a process holds; what is there goes in the end.

    Folders that nobody holds any more, as their process was killed, are removed.
    """
    home = state.folder(root).absolute()
    with (home / LOCK).open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        for left in home.glob(f"{PREFIX}*/held"):
            _remove_if_left(root, left)
        git(root, "worktree", "prune")
        box = Path(tempfile.mkdtemp(dir=home, prefix=PREFIX))
        held = (box / "held").open("w")
        fcntl.flock(held, fcntl.LOCK_EX)
    folder = box / box.name
    with held:
        try:
            yield folder
        finally:
            laid_out = folder.exists()
            shutil.rmtree(box)
            if laid_out:
                git(root, "worktree", "remove", "--force", "--force", str(folder))
            git(root, "update-ref", "-d", f"{REFS}{folder.name}")


def _remove_if_left(root: Path, held: Path) -> None:
    with held.open() as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        git(root, "update-ref", "-d", f"{REFS}{held.parent.name}")
        shutil.rmtree(held.parent)


def head(root: Path, folder: Path, remote: str, branch: str) -> str:
    """Where a branch is now, under a name of the run's own, so that fetches at once do not meet."""
    own = f"{REFS}{folder.name}"
    fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", remote)
    git(root, *fetch, f"+refs/heads/{branch}:{own}")
    return git(root, "rev-parse", own)
