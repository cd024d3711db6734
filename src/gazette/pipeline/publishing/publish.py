"""Publishing what a run came to: from a git worktree of its own to a branch, the data first. Knows no Prefect.

A branch is only ever moved forward: a push that is not forced is refused where the branch has moved, so of two runs at
once the second sees what the first left.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gazette.core.errors import BrokenContract, Misconfigured
from gazette.pipeline import graph, storage
from gazette.pipeline.plan import Node
from gazette.pipeline.publishing.raw_data import bring, refuse_edited
from gazette.pipeline.publishing.shell import dvc, git, refusal
from gazette.pipeline.publishing.worktree import Worktree, head

TRIES = 20  # as often as a branch may move while one run publishes


@dataclass(frozen=True)
class Published:
    """Where the results stand: the commit, none where nothing was to be pushed, the branch, and why it is so."""

    commit: str | None
    branch: str
    why: str = ""


def publish(tree: Worktree, name: str, message: str) -> Published:
    """Commits what is new in the tree and brings data and commit to where they belong.

    Where the branch moved meanwhile, and what the stages read did not, on top of it; else to the branch
    `retrain/<name>`. Twice is once: results that stand on the branch already are not committed again.
    """
    nodes = graph.read(tree.folder)
    refuse_edited(nodes)
    if recorded := git(tree.folder, "diff", "--name-only", "HEAD", "--", "*.dvc"):  # as `dvc repro` does with edits
        raise BrokenContract(f"raw data differ from {recorded} as committed: nothing but a person may change them")
    if stale := _stale(nodes):
        raise Misconfigured(f"not published, as the run left stages that are not up to date: {'; '.join(stale)}")
    ours = _commit(tree.folder, message)
    if ours is None:
        return Published(None, tree.branch, "nothing changed")
    if storage.remote(tree.folder):
        dvc(tree.folder, "push", "--quiet", check=True)
    base, commit = tree.base, ours
    for _ in range(TRIES):
        refused = _push(tree, commit, tree.branch)
        if not refused:
            return Published(commit, tree.branch)
        moved = head(tree.root, tree.folder, tree.remote, tree.branch)
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
    git(folder, "checkout", "--quiet", "--force", "--detach", moved)
    paths = git(folder, "diff", "--name-only", "--no-renames", "-z", f"{ours}^", ours).rstrip("\0").split("\0")
    if not git(folder, "diff", "--name-only", moved, ours, "--", *paths):
        return moved
    if git(folder, "diff", "--name-only", f"{ours}^", moved, "--", *paths):
        with suppress(Misconfigured, BrokenContract):
            bring(folder)
            if _holds(folder):
                return moved
    git(folder, "restore", "--source", ours, "--staged", "--worktree", "--", *paths)
    dvc(folder, "checkout", "--quiet", "--force", "--allow-missing")
    if not _holds(folder):
        return None
    git(folder, "commit", "--quiet", "--no-verify", "--reuse-message", ours)
    return git(folder, "rev-parse", "HEAD")


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
        there = head(tree.root, tree.folder, tree.remote, branch)
        if git(tree.folder, "diff", "--name-only", there, ours):
            raise Misconfigured(f"{why}\n{branch} takes no push either:\n{refused}")
        return Published(there, branch, why)
    return Published(ours, branch, why)


def _commit(folder: Path, message: str) -> str | None:
    """Commits locks, metrics and plots, new ones too; none where nothing of them differs."""
    git(folder, "add", "--update", ".")
    kept = git(folder, "ls-files", "--others", "--exclude-standard", "-z", "--", *graph.recorded(folder)).rstrip("\0")
    if kept:
        git(folder, "add", "--", *kept.split("\0"))
    if not git(folder, "diff", "--cached", "--name-only"):
        return None
    git(folder, "commit", "--quiet", "--no-verify", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def _push(tree: Worktree, commit: str, branch: str) -> str:
    """Moves a branch forward; what git says against it."""
    return refusal(tree.root, "push", "--quiet", tree.remote, f"{commit}:refs/heads/{branch}")


def message(run: str, outcomes: Sequence[tuple[str, str]], metrics: Sequence[tuple[str, str, object, object]]) -> str:
    """Of a commit: which flow run made it, which stages ran, which metrics differ from the commit's before."""
    ran = [stage for stage, state in outcomes if state == "ran"]
    restored = [stage for stage, state in outcomes if state == "restored from cache"]
    lines = [f"Retrained: {', '.join(ran or restored) or 'as before'}", ""]
    if metrics:
        lines += ["Metrics:", *(f"  {file} {name}: {then} -> {now}" for file, name, then, now in metrics), ""]
    lines += [f"Flow-Run: {run}", f"Stages-Run: {', '.join(ran) or 'none'}"]
    return "\n".join(lines + ([f"Stages-Restored: {', '.join(restored)}"] if restored else [])) + "\n"
