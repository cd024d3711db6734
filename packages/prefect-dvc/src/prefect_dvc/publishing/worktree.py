"""A git worktree for one run, beside the user's tree, removed however the run ends."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from prefect_dvc import connection, git, locks, state, storage
from prefect_dvc.core.errors import ConfigError

LOCAL = "."  # the repository itself, for git a remote like any other
PREFIX = "retrain-"
WORKTREE_LOCK = "retrain.lock"
RUN_LOCK = "lock"  # in the folder of a worktree
REFS = "refs/retrain/"
ANSWER_SECONDS = 20


@dataclass(frozen=True)
class Worktree:
    """A worktree of the project's repository, at the commit `base`, whose results go to a branch of a remote.

    `folder` is the project's in it, which is not its top if the project is in a subfolder. `ref` is what is fetched.
    """

    root: Path
    folder: Path
    ref: str
    base: str
    remote: str
    branch: str


@contextmanager
def worktree(root: Path, branch: str, remote: str = "", revision: str = "") -> Iterator[Worktree]:
    """Create a worktree for a run at `revision`, or at the branch's head, with the project's cache; removed at the end.

    Without a `remote` it is `origin`, or the repository itself if there is none.
    """
    remote = remote or default_remote(root)
    check_committer(root)
    check_answers(root, remote)
    with _temporary_folder(root) as top:
        ref = f"{REFS}{top.name}"
        base = fetch_head(root, ref, remote, branch)
        if revision:
            base = git.resolve_commit(revision, root)
        yield Worktree(root, _add_worktree(root, top, base), ref, base, remote, branch)


def default_remote(root: Path) -> str:
    """Return `origin`, or the repository itself if there is none."""
    return "origin" if "origin" in git.run("remote", folder=root).split() else LOCAL


def check_answers(root: Path, remote: str) -> None:
    """Raise ConfigError if a git remote does not answer within `ANSWER_SECONDS`; fetch and push wait for it forever."""
    ask = partial(git.run_or_error, "ls-remote", "--quiet", "--heads", remote, folder=root)
    try:
        why = connection.within(ANSWER_SECONDS, ask)
    except TimeoutError as error:
        why = str(error)
    if why:
        raise ConfigError(
            f"the git remote {remote} of {root.absolute()} failed: {why}\n`git remote -v` shows its address; the same "
            "command works when it answers"
        )


def check_committer(root: Path) -> None:
    """Fail now, not after hours, if the committer is unknown, or cannot sign what the user's configuration signs."""
    git.top(root)  # without a repository, that is the reason
    git.run("var", "GIT_COMMITTER_IDENT", folder=root)
    if git.run("config", "--type=bool", "--default=false", "--get", "commit.gpgSign", folder=root) == "true":
        empty = git.run("hash-object", "-t", "tree", "-w", os.devnull, folder=root)
        git.run("commit-tree", "-S", "-m", "Can this be signed?", empty, folder=root)  # on no branch


@contextmanager
def checkout(root: Path, revision: str) -> Iterator[Path]:
    """Create a worktree of a revision with the project's cache, and yield the project in it; removed at the end."""
    with _temporary_folder(root) as top:
        yield _add_worktree(root, top, revision)


def _add_worktree(root: Path, top: Path, revision: str) -> Path:
    git.run("worktree", "add", "--quiet", "--detach", str(top), revision, folder=root)
    folder = git.project_in(top, root, revision)
    storage.share_cache(root, folder)
    return folder


@contextmanager
def _temporary_folder(root: Path) -> Iterator[Path]:
    """Yield the path of a worktree, in a folder that this process has locked; removed at the end.

    Folders that no process has locked, since it was killed, are removed.
    """
    home = state.state_folder(root).absolute()
    with ExitStack() as stack:
        with locks.file_lock(home / WORKTREE_LOCK, "another worktree is being created", seconds=-1):
            _remove_left_over(root, home)
            box = Path(tempfile.mkdtemp(dir=home, prefix=PREFIX))
            stack.enter_context(locks.file_lock(box / RUN_LOCK, "another run is at work here"))
        folder = box / box.name
        try:
            yield folder
        finally:
            exists = folder.exists()
            shutil.rmtree(box)
            if exists:
                git.run("worktree", "remove", "--force", "--force", str(folder), folder=root)
            git.run("update-ref", "-d", f"{REFS}{folder.name}", folder=root)


def _remove_left_over(root: Path, home: Path) -> None:
    """Remove the worktrees of killed runs, and git's entries of those that are gone; the user's are left alone."""
    listed = _listed_worktrees(root)
    for lock in home.glob(f"{PREFIX}*/{RUN_LOCK}"):
        if {path.name for path in lock.parent.iterdir()} <= {RUN_LOCK, lock.parent.name}:
            with suppress(ConfigError), locks.file_lock(lock, "a run is at work here", seconds=0):
                git.run("update-ref", "-d", f"{REFS}{lock.parent.name}", folder=root)
                shutil.rmtree(lock.parent)
    for folder in listed:
        if folder.parent.parent == home.resolve() and not folder.parent.exists():
            git.run("worktree", "remove", "--force", "--force", str(folder), folder=root)


def _listed_worktrees(root: Path) -> list[Path]:
    words = git.list_names("worktree", "list", "--porcelain", "-z", folder=root)
    return [Path(word.removeprefix("worktree ")) for word in words if word.startswith("worktree ")]


def find_head(root: Path, branch: str, remote: str = "") -> str:
    """Return the head of a branch at a remote, by default as for a worktree, fetched so that this repository has it."""
    remote = remote or default_remote(root)
    if remote == LOCAL:
        return git.resolve_commit(branch, root)
    check_answers(root, remote)
    return fetch_head(root, f"refs/remotes/{remote}/{branch}", remote, branch)


def fetch_head(root: Path, ref: str, remote: str, branch: str) -> str:
    """Return the head of a branch, fetched to a ref of this run, so that simultaneous fetches do not collide."""
    fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", remote)
    git.run(*fetch, f"+refs/heads/{branch}:{ref}", folder=root)
    return git.run("rev-parse", ref, folder=root)
