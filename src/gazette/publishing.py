"""Publishing what a run came to: from a git worktree of its own to a branch, the data first. Knows no Prefect.

A branch is only ever moved forward: a push that is not forced is refused where the branch has moved, so of two runs at
once the second sees what the first left.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gazette import cache, graph, notes, running
from gazette.errors import BrokenContract, Misconfigured
from gazette.plan import Node

TRIES = 20  # as often as a branch may move while one run publishes
HERE = "."  # the repository itself, for git a remote like any other
PREFIX = "retrain-"
LOCK = "retrain.lock"
REFS = "refs/retrain/"
MISSING = {"deleted", "not in cache"}

# No hook of a person's (DVC installs some), nothing that goes on in the background.
GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "maintenance.auto=false", "-c", "gc.auto=0")


@dataclass(frozen=True)
class Published:
    """Where the results stand: the commit, none where nothing was to be pushed, the branch, and why it is so."""

    commit: str | None
    branch: str
    why: str = ""


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
    remote = remote or ("origin" if "origin" in _git(root, "remote").split() else HERE)
    with _box(root) as box:
        folder = box / box.name
        _git(root, "worktree", "add", "--quiet", "--detach", "--no-checkout", str(folder), "HEAD")
        try:
            _git(
                folder, "var", "GIT_COMMITTER_IDENT"
            )  # git says now, not after hours, that it does not know who commits
            base = _head(root, folder, remote, branch)
            if revision:
                base = _git(folder, "rev-parse", "--verify", f"{revision}^{{commit}}")
            _git(folder, "reset", "--quiet", "--hard", base)
            graph.share(root, folder)
            yield Worktree(root, folder, base, remote, branch)
        finally:
            _git(root, "worktree", "remove", "--force", "--force", str(folder))
            _git(root, "update-ref", "-d", f"{REFS}{folder.name}")


@contextmanager
def _box(root: Path) -> Iterator[Path]:
    """A folder that a process holds; those that nobody holds any more, as their process was killed, are removed."""
    home = notes.folder(root).absolute()
    with (home / LOCK).open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        for left in home.glob(f"{PREFIX}*/held"):
            _remove_if_left(root, left)
        _git(root, "worktree", "prune")
        box = Path(tempfile.mkdtemp(dir=home, prefix=PREFIX))
        held = (box / "held").open("w")
        fcntl.flock(held, fcntl.LOCK_EX)
    with held:
        try:
            yield box
        finally:
            shutil.rmtree(box)


def _remove_if_left(root: Path, held: Path) -> None:
    with held.open() as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _git(root, "update-ref", "-d", f"{REFS}{held.parent.name}")
        shutil.rmtree(held.parent)


def bring(folder: Path) -> str:
    """Brings what pointers and locks name, from the cache or else from the DVC remote; what DVC has to say about it.

    Outputs that are nowhere will be made anew. Raises Misconfigured where raw data are nowhere, BrokenContract where
    they are not what their pointer names.
    """
    files = graph.files(folder)
    said = _dvc(folder, "fetch", "--quiet", "--with-deps", *files) if graph.remote(folder) else ""
    _dvc(folder, "checkout", "--quiet", "--force", "--allow-missing", "--with-deps", *files)
    refuse_edited(graph.read(folder))
    if altered := cache.altered(folder):
        raise BrokenContract(
            f"raw data came out of the cache otherwise than their pointer names them: {', '.join(altered[:5])}; "
            "`gazette doctor --verify` says what is damaged"
        )
    return said


def refuse_edited(nodes: Sequence[Node]) -> None:
    """Raises where raw data of the stages are not what their pointer, a `.dvc` file, names."""
    for node in nodes:
        if node.name.endswith(".dvc"):
            if MISSING & {change.state for change in node.changes}:
                raise Misconfigured(f"what {node.name} names is neither in the cache nor at the remote: `dvc push` it")
            reasons = "; ".join(map(str, node.changes))
            raise BrokenContract(
                f"raw data differ from {node.name} ({reasons}): `dvc add` records an edit, `dvc checkout` undoes it"
            )


def publish(tree: Worktree, name: str, message: str) -> Published:
    """Commits what is new in the tree and brings data and commit to where they belong.

    Where the branch moved meanwhile, and what the stages read did not, on top of it; else to the branch
    `retrain/<name>`. Twice is once: results that stand on the branch already are not committed again.
    """
    nodes = graph.read(tree.folder)
    refuse_edited(nodes)
    if recorded := _git(tree.folder, "diff", "--name-only", "HEAD", "--", "*.dvc"):  # as `dvc repro` does with edits
        raise BrokenContract(f"raw data differ from {recorded} as committed: nothing but a person may change them")
    if stale := _stale(nodes):
        raise Misconfigured(f"not published, as the run left stages that are not up to date: {'; '.join(stale)}")
    ours = _commit(tree.folder, message)
    if ours is None:
        return Published(None, tree.branch, "nothing changed")
    if graph.remote(tree.folder):
        _dvc(tree.folder, "push", "--quiet", check=True)
    base, commit = tree.base, ours
    for _ in range(TRIES):
        refused = _push(tree, commit, tree.branch)
        if not refused:
            return Published(commit, tree.branch)
        moved = _head(tree.root, tree.folder, tree.remote, tree.branch)
        if moved == base:
            return _aside(tree, ours, name, f"{tree.branch} at {tree.remote} takes no push:\n{refused}")
        on_top = _on_top(tree.folder, ours, moved)
        if on_top == moved:
            return Published(None, tree.branch, "results for these inputs stand there already")
        if on_top is None:
            return _aside(tree, ours, name, f"{tree.branch} moved to {moved[:9]}, in what stages read")
        base, commit = moved, on_top
    return _aside(tree, ours, name, f"{tree.branch} moved {TRIES} times")


def _on_top(folder: Path, ours: str, moved: str) -> str | None:
    """Our results on another commit, that commit itself where it has results for the same inputs, none elsewhere."""
    _git(folder, "checkout", "--quiet", "--force", "--detach", moved)
    paths = _git(folder, "diff", "--name-only", "--no-renames", "-z", f"{ours}^", ours).rstrip("\0").split("\0")
    if not _git(folder, "diff", "--name-only", moved, ours, "--", *paths):
        return moved
    if _git(folder, "diff", "--name-only", f"{ours}^", moved, "--", *paths):
        with suppress(Misconfigured, BrokenContract):
            bring(folder)
            if _holds(folder):
                return moved
    _git(folder, "restore", "--source", ours, "--staged", "--worktree", "--", *paths)
    _dvc(folder, "checkout", "--quiet", "--force", "--allow-missing")
    if not _holds(folder):
        return None
    _git(folder, "commit", "--quiet", "--no-verify", "--reuse-message", ours)
    return _git(folder, "rev-parse", "HEAD")


def _holds(folder: Path) -> bool:
    """Whether the lock answers for what the stages read here; not where DVC cannot read them."""
    with suppress(Misconfigured):
        nodes = graph.read(folder)
        return not _stale(nodes) and not any(node.name.endswith(".dvc") for node in nodes)
    return False


def _stale(nodes: Sequence[Node]) -> list[str]:
    """What differs of commands, params and dependencies; an output may be one that neither git nor DVC keeps."""
    return [
        f"{node.name}: {change}"
        for node in nodes
        for change in node.changes
        if change.kind != "out" and change.state != "always changed"
    ]


def _aside(tree: Worktree, ours: str, name: str, why: str) -> Published:
    """Leaves the results on a branch of their own; a run that is tried again finds them there."""
    branch = f"retrain/{name}"
    if refused := _push(tree, ours, branch):
        there = _head(tree.root, tree.folder, tree.remote, branch)
        if _git(tree.folder, "diff", "--name-only", there, ours):
            raise Misconfigured(f"{why}\n{branch} takes no push either:\n{refused}")
        return Published(there, branch, why)
    return Published(ours, branch, why)


def _commit(folder: Path, message: str) -> str | None:
    """Commits locks, metrics and plots, new ones too; none where nothing of them differs."""
    _git(folder, "add", "--update", ".")
    kept = _git(folder, "ls-files", "--others", "--exclude-standard", "-z", "--", *graph.recorded(folder)).rstrip("\0")
    if kept:
        _git(folder, "add", "--", *kept.split("\0"))
    if not _git(folder, "diff", "--cached", "--name-only"):
        return None
    _git(folder, "commit", "--quiet", "--no-verify", "--message", message)
    return _git(folder, "rev-parse", "HEAD")


def _push(tree: Worktree, commit: str, branch: str) -> str:
    """Moves a branch forward; what git says against it."""
    return _run(tree.root, *GIT, "push", "--quiet", tree.remote, f"{commit}:refs/heads/{branch}")[1]


def _head(root: Path, folder: Path, remote: str, branch: str) -> str:
    """Where a branch is now, under a name of the run's own, so that fetches at once do not meet."""
    own = f"{REFS}{folder.name}"
    fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", remote)
    _git(root, *fetch, f"+refs/heads/{branch}:{own}")
    return _git(root, "rev-parse", own)


def _git(folder: Path, *words: str) -> str:
    said, refused = _run(folder, *GIT, *words)
    if refused:
        raise Misconfigured(f"`git {' '.join(words)}` in {folder}:\n{refused}")
    return said


def _dvc(folder: Path, *words: str, check: bool = False) -> str:
    _, refused = _run(folder, "dvc", *words)
    if refused and check:
        raise Misconfigured(f"`dvc {' '.join(words)}` in {folder}:\n{refused}")
    return refused


def _run(folder: Path, *command: str) -> tuple[str, str]:
    """What a command says; and where it fails, what it says of that. It never asks."""
    environment = running.environment({"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"})
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    failed = (done.stderr or done.stdout).strip() or f"ended with {done.returncode}"
    return done.stdout.rstrip("\n"), failed if done.returncode else ""


def registry(root: Path) -> str:
    """The registry's address for a run that works elsewhere: MLFLOW_TRACKING_URI, or the project's own database."""
    given = os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    head, slashes, path = given.partition("sqlite:///")
    return f"{head}{slashes}{root.absolute() / path}" if slashes else given


def message(run: str, outcomes: Sequence[tuple[str, str]], metrics: Sequence[tuple[str, str, object, object]]) -> str:
    """Of a commit: which flow run made it, which stages ran, which metrics differ from the commit's before."""
    ran = [stage for stage, state in outcomes if state == "ran"]
    restored = [stage for stage, state in outcomes if state == "restored from cache"]
    lines = [f"Retrained: {', '.join(ran or restored) or 'as before'}", ""]
    if metrics:
        lines += ["Metrics:", *(f"  {file} {name}: {then} -> {now}" for file, name, then, now in metrics), ""]
    lines += [f"Flow-Run: {run}", f"Stages-Run: {', '.join(ran) or 'none'}"]
    return "\n".join(lines + ([f"Stages-Restored: {', '.join(restored)}"] if restored else [])) + "\n"
