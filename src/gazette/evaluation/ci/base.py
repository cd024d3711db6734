"""The base of a change: the commit to compare with, and, where its bundle is nowhere, what it comes to here."""

import os
import tempfile
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gazette.core.errors import Misconfigured
from gazette.evaluation.ci.checkout import Hear, bring, dvc
from gazette.pipeline import git, graph, revisions
from gazette.pipeline.publishing import worktree

WHO = ("-c", "user.name=gazette", "-c", "user.email=gazette@localhost", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Base:
    """What was asked for, its commit, and the commit to compare with: another where the base was made again here."""

    asked: str
    commit: str
    compared: str
    remade: bool = False
    same: bool = True  # whether that gave the bytes that the base's dvc.lock names


def find(root: Path, asked: str, bundle: str, hear: Hear) -> Base:
    """The base; where its bundle is neither in DVC's cache nor in its remote, it is made again from its raw data.

    What it came to is a commit on no branch. Raises Misconfigured where git does not know the base or it does not run.
    """
    commit = git.commit(asked)
    if git.file(commit, "dvc.yaml") is None:
        raise Misconfigured(f"{asked} has no dvc.yaml here: there is nothing to compare with")
    with tempfile.TemporaryDirectory() as box, suppress(revisions.Missing):
        revisions.fetch(commit, bundle, Path(box) / "bundle")
        return Base(asked, commit, commit)
    hear(f"the bundle of {asked} is neither in DVC's cache nor in its remote: made again")
    made = _remade(root, asked, commit, hear)
    same = git.file(commit, "dvc.lock") == git.file(made, "dvc.lock")
    return Base(asked, commit, made, True, same)


def _remade(root: Path, asked: str, commit: str, hear: Hear) -> str:
    said: deque[str] = deque(maxlen=10)

    def both(line: str) -> None:
        said.append(line)
        hear(line)

    with worktree.tree(root, commit) as folder:
        bring(folder, both)
        # Its own code, and no registry but one that goes with the tree.
        own = {
            "PYTHONPATH": os.pathsep.join([str(folder / "src"), os.environ.get("PYTHONPATH", "")]),
            "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db",
        }
        if dvc(folder, both, "repro", "evaluate", **own):
            raise Misconfigured(f"{asked} does not run here, so there is nothing to compare with:\n" + "\n".join(said))
        made = [path for path in graph.recorded(folder) if (folder / path).exists()]
        git.said("add", "--update", ".", folder=folder)
        git.said("add", "--", *made, folder=folder)
        git.said(*WHO, "commit", "--quiet", "--no-verify", "--allow-empty", "-m", f"{asked}, made again", folder=folder)
        return git.commit("HEAD", folder)
