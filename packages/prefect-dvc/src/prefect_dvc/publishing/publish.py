"""Publishing of a run's results: from a git worktree to a branch, the data first. Does not use Prefect.

A branch only moves forward: a push without force is rejected if the branch has moved, so of two simultaneous runs the
second sees the results of the first.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from prefect_dvc import dvc_command, git, graph, remote, storage
from prefect_dvc.core.errors import ConfigError, DataContractError
from prefect_dvc.core.escape import escape_path
from prefect_dvc.plan import Node
from prefect_dvc.publishing.raw_data import check_raw_data, fetch_data
from prefect_dvc.publishing.worktree import LOCAL, Worktree, fetch_head

MAX_TRIES = 20  # how often a branch may move while a run publishes
# To this repository itself git would push as its configuration says, into the working tree too, and run its hooks.
RECEIVER = "git -c receive.denyCurrentBranch=refuse -c core.hooksPath=/dev/null receive-pack"


@dataclass(frozen=True)
class Published:
    """Where the results are: the commit (None if there was nothing to push), the branch, and why."""

    commit: str | None
    branch: str
    why: str = ""

    def __str__(self) -> str:
        what = f"{self.commit[:9]} on" if self.commit else "nothing new for"
        return f"{what} {self.branch}" + (f": {self.why}" if self.why else "")


def publish(tree: Worktree, name: str, message: str) -> Published:
    """Commit what is new in the tree and push data and commit.

    If the branch moved meanwhile, but not in what the stages read, the commit goes on top of it; otherwise to the
    branch `retrain/<name>`. Idempotent: results that are on the branch already are not committed again.
    """
    nodes = graph.read_graph(tree.folder)
    check_raw_data(nodes)
    # `dvc repro` records an edit of raw data in the pointer
    if pointers := [path for path in _changed(tree.folder, "HEAD") if path.endswith(".dvc")]:
        raise DataContractError(
            f"raw data differ from {', '.join(map(escape_path, pointers))} as committed: only a person may change them"
        )
    if stale := _stale(nodes):
        raise ConfigError(f"not published, since stages are not up to date after the run: {'; '.join(stale)}")
    ours = _commit(tree.folder, message)
    if ours is None:
        return Published(None, tree.branch, "nothing changed")
    if storage.default_remote(tree.folder):
        remote.check_answers(tree.folder)
        dvc_command.run("push", "--quiet", folder=tree.folder)
    base, commit = tree.base, ours
    for _ in range(MAX_TRIES):
        error = push(tree, commit, tree.branch)
        if not error:
            return Published(commit, tree.branch)
        moved = fetch_head(tree.root, tree.ref, tree.remote, tree.branch)
        if moved == base:
            return _push_aside(tree, ours, name, f"{tree.branch} at {tree.remote} rejects the push:\n{error}")
        on_top = _on_top(tree.folder, ours, moved)
        if on_top == moved:
            return Published(None, tree.branch, "results for these inputs are there already")
        if on_top is None:
            return _push_aside(tree, ours, name, f"{tree.branch} moved to {moved[:9]}, in what stages read")
        base, commit = moved, on_top
    return _push_aside(tree, ours, name, f"{tree.branch} moved {MAX_TRIES} times")


def _on_top(folder: Path, ours: str, moved: str) -> str | None:
    """Commit our results on another commit; returns `moved` itself if it has results for the same inputs.

    Returns None if its inputs differ.
    """
    git.run("checkout", "--quiet", "--force", "--detach", moved, folder=folder)
    paths = _changed(folder, f"{ours}^", ours)
    if not _changed(folder, moved, ours, "--", *paths):
        return moved
    if _changed(folder, f"{ours}^", moved, "--", *paths):
        with suppress(ConfigError, DataContractError):
            fetch_data(folder)
            if _is_up_to_date(folder):
                return moved
    git.run("--literal-pathspecs", "restore", "--source", ours, "--staged", "--worktree", "--", *paths, folder=folder)
    dvc_command.run_or_error("checkout", "--quiet", "--force", "--allow-missing", folder=folder)
    if not _is_up_to_date(folder):
        return None
    git.run("commit", "--quiet", "--no-verify", "--reuse-message", ours, folder=folder)
    return git.resolve_commit("HEAD", folder)


def _changed(folder: Path, *words: str) -> list[str]:
    """List the files of the project that differ, as `git diff` with these words does."""
    names = ("--literal-pathspecs", "diff", "--relative", "--name-only", "--no-renames", "-z")
    return git.list_names(*names, *words, folder=folder)


def _is_up_to_date(folder: Path) -> bool:
    """Check that the lock matches the inputs of the stages; it does not if DVC cannot read them."""
    with suppress(ConfigError):
        nodes = graph.read_graph(folder)
        return not _stale(nodes) and not any(node.name.endswith(".dvc") for node in nodes)
    return False


def _stale(nodes: Sequence[Node]) -> list[str]:
    """List the changes of commands, params and dependencies; an output may be one that neither git nor DVC keeps."""
    return [
        f"{node.name}: {change}"
        for node in nodes
        for change in node.changes
        if change.kind != "out" and change.state != "always changed"
    ]


def _push_aside(tree: Worktree, ours: str, name: str, why: str) -> Published:
    """Push the results to a separate branch; a run that is retried finds them there."""
    branch = f"retrain/{name}"
    if error := push(tree, ours, branch):
        head = fetch_head(tree.root, tree.ref, tree.remote, branch)
        if _changed(tree.folder, head, ours):
            raise ConfigError(f"{why}\n{branch} rejects the push too:\n{error}")
        return Published(head, branch, why)
    return Published(ours, branch, why)


def _commit(folder: Path, message: str) -> str | None:
    """Commit locks, metrics and plots, new ones too; None if nothing differs."""
    git.run("add", "--update", ".", folder=folder)
    untracked = ("--literal-pathspecs", "ls-files", "--others", "--exclude-standard", "-z", "--")
    if new := git.list_names(*untracked, *graph.git_tracked_outputs(folder), folder=folder):
        git.add(new, folder)
    if not _changed(folder, "--cached"):
        return None
    git.run("commit", "--quiet", "--no-verify", "--message", message, folder=folder)
    return git.resolve_commit("HEAD", folder)


def push(tree: Worktree, commit: str, branch: str) -> str:
    """Move a branch forward; returns why git rejects it. A branch that is checked out here is never moved."""
    receiver = [f"--receive-pack={RECEIVER}"] if tree.remote == LOCAL else []
    return git.run_or_error(
        "push", "--quiet", *receiver, tree.remote, f"{commit}:refs/heads/{branch}", folder=tree.root
    )


def commit_message(
    run: str, outcomes: Sequence[tuple[str, str]], metrics: Sequence[tuple[str, str, object, object]]
) -> str:
    """Return the message of a commit: its flow run, the stages that ran, and the metrics that changed."""
    ran = [stage for stage, state in outcomes if state == "ran"]
    restored = [stage for stage, state in outcomes if state == "restored from cache"]
    lines = [f"Retrained: {', '.join(ran or restored) or 'unchanged'}", ""]
    if metrics:
        lines += ["Metrics:", *(f"  {file} {name}: {old} -> {new}" for file, name, old, new in metrics), ""]
    lines += [f"Flow-Run: {run}", f"Stages-Run: {', '.join(ran) or 'none'}"]
    return "\n".join(lines + ([f"Stages-Restored: {', '.join(restored)}"] if restored else [])) + "\n"
