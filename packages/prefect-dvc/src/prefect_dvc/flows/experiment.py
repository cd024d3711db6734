"""A worktree for an experiment: the working tree with other params, separate from the user's."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prefect_dvc import dvc_command, git, git_environment, graph
from prefect_dvc.publishing import worktree


@dataclass(frozen=True)
class Tree:
    """Where the stages run, what is added to their environment, and the experiment's name, if it is one."""

    folder: Path
    extra: dict[str, str]
    name: str = ""

    def save(self) -> None:
        """Save the results as a DVC experiment, if it is one; every stage has to be up to date.

        DVC commits whatever is in the tree, so a stage that did not run would be recorded with outputs of other params.
        """
        if self.name:
            dvc_command.run("exp", "save", "--name", self.name, folder=self.folder)


@contextmanager
def tree(root: Path, overrides: Sequence[str], variables: Mapping[str, str] | None = None) -> Iterator[Tree]:
    """Yield `root` itself without overrides, otherwise a git worktree of it with the overrides, removed at the end.

    It has what git tracks, uncommitted edits included, and DVC's outputs from the same cache. `Tree.save` makes it a
    DVC experiment, for `dvc exp show`, `diff` and `apply`. An override is `params.yaml:train.seed=8`.
    """
    added = dict(variables or {})
    if not overrides:
        yield Tree(root, added)
        return
    worktree.check_committer(root)
    name = f"flow-{os.urandom(3).hex()}"
    edits = git.run("stash", "create", folder=root)  # a commit of the edits on no branch; empty if there are none
    with worktree.checkout(root, "HEAD") as folder:
        if edits:
            git.run("stash", "apply", "--quiet", edits, folder=folder)
        dvc_command.run("checkout", "--quiet", "--allow-missing", folder=folder)
        graph.set_params(folder, overrides)
        extra = added | {"DVC_EXP_NAME": name}
        yield Tree(folder, extra | git_environment.without_hooks(os.environ), name)
