"""A tree of its own for an experiment: this working tree with other params, and nothing of it in the user's way."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gazette.core.errors import Misconfigured
from gazette.pipeline import graph, state
from gazette.pipeline.execution import run
from gazette.registry.store import address


@dataclass(frozen=True)
class Tree:
    """Where the stages run, what is added to their environment there, and the experiment's name, if it is one."""

    folder: Path
    extra: dict[str, str]
    name: str = ""


@contextmanager
def tree(root: Path, overrides: Sequence[str]) -> Iterator[Tree]:
    """`root` itself where nothing is overridden, else a git worktree of it with the overrides, removed at the end.

    It holds what git tracks as it stands, edits included, and what DVC has of it, from the same cache. Results are kept
    as a DVC experiment, for `dvc exp show`, `diff` and `apply`. An override is `params.yaml:train.seed=8`.
    """
    if not overrides:
        yield Tree(root, {})
        return
    name = f"flow-{os.urandom(3).hex()}"
    with tempfile.TemporaryDirectory(dir=state.folder(root), prefix="experiment-") as box:
        folder = Path(box) / name
        edits = _said("git", "stash", "create", folder=root)  # a commit of them that no branch has; none, no words
        _said("git", "worktree", "add", "--quiet", "--detach", str(folder), folder=root)
        try:
            if edits:
                _said("git", "stash", "apply", "--quiet", edits, folder=folder)
            _said("dvc", "config", "--local", "cache.dir", _said("dvc", "cache", "dir", folder=root), folder=folder)
            _said("dvc", "checkout", "--quiet", "--allow-missing", folder=folder)
            graph.override(folder, overrides)
            yield Tree(folder, {"DVC_EXP_NAME": name, "MLFLOW_TRACKING_URI": address.absolute(root)}, name)
            _said("dvc", "exp", "save", "--name", name, folder=folder)
        finally:
            _said("git", "worktree", "remove", "--force", str(folder), folder=root)


def _said(*command: str, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, env=run.environment({}), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Misconfigured(f"an experiment needs a git repository: `{' '.join(command)}` says\n{done.stderr.strip()}")
    return done.stdout.strip()
