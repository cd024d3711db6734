"""The base of a change: the commit to compare with, rebuilt here if its bundle cannot be found."""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from prefect_dvc import git, git_environment, graph, revisions
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.execution import signals
from prefect_dvc.publishing import worktree

from gazette.evaluation.ci.checkout import OnLine, fetch_inputs, run_dvc, tee

IDENTITY = ("-c", "user.name=gazette", "-c", "user.email=gazette@localhost", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Base:
    """The requested revision, its commit, and the commit to compare with, which differs if the base was rebuilt."""

    revision: str
    commit: str
    compared: str
    rebuilt: bool = False
    same: bool = True  # the rebuilt files have the hashes in the base's dvc.lock


def find_base(root: Path, revision: str, bundle: str, on_line: OnLine) -> Base:
    """Return the base; if its bundle is neither in DVC's cache nor in its remote, rebuild it from its raw data.

    The rebuilt base is a commit on no branch. Raises ConfigError if git does not know the base or it does not run.
    """
    commit = git.resolve_commit(revision)
    if git.show(commit, "dvc.yaml") is None:
        raise ConfigError(f"{revision} has no dvc.yaml here: there is nothing to compare with")
    with tempfile.TemporaryDirectory() as folder, suppress(revisions.MissingFileError):
        revisions.fetch_file(commit, bundle, Path(folder) / "bundle")
        return Base(revision, commit, commit)
    on_line(f"the bundle of {revision} is neither in DVC's cache nor in its remote: rebuilding it")
    rebuilt = _rebuild(root, revision, commit, on_line)
    same = git.show(commit, "dvc.lock") == git.show(rebuilt, "dvc.lock")
    return Base(revision, commit, rebuilt, True, same)


def _rebuild(root: Path, revision: str, commit: str, on_line: OnLine) -> str:
    lines: list[str] = []
    heard = tee(lines, on_line)
    with worktree.checkout(root, commit) as folder:
        fetch_inputs(folder, heard)
        extra = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"}  # which is removed with the tree
        if run_dvc(folder, heard, "repro", "evaluate", **extra, **git_environment.without_hooks(os.environ)):
            end = signals.append_signal("\n".join(lines[-10:]))
            raise ConfigError(f"{revision} does not run here, so there is nothing to compare with:\n{end}")
        outputs = [path for path in graph.git_tracked_outputs(folder) if (folder / path).exists()]
        git.run("add", "--update", ".", folder=folder)
        git.add(outputs, folder)
        message = f"{revision}, rebuilt"
        git.run(*IDENTITY, "commit", "--quiet", "--no-verify", "--allow-empty", "-m", message, folder=folder)
        return git.resolve_commit("HEAD", folder)
