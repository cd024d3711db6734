"""People's answers as corrections of the corpus at the head of a branch: the next training learns from them."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from prefect_dvc import dvc_command, git, remote, storage, supervisor
from prefect_dvc.core.errors import ConfigError, DataContractError
from prefect_dvc.environment import child_environment
from prefect_dvc.publishing import publish, raw_data
from prefect_dvc.publishing.worktree import worktree

from gazette.core import pointers
from gazette.core.escape import tally
from gazette.data import feedback
from gazette.data.feedback import Feedback
from gazette.data.paths import RAW
from gazette.pipeline import state

FEEDBACK = "feedback"  # the folder of `gazette serve` and `gazette monitor answer`
ANSWERS = "answers"  # the folder in `.gazette` of the worktree


def read_answers(root: Path) -> list[Feedback]:
    """Return the answers of people to what they were asked; what was volunteered waits for a person to take it over."""
    records = (record for path in sorted((root / FEEDBACK).glob("*.jsonl")) for _, record in feedback.read(path)[0])
    return [record for record in records if record.how != "volunteered"]


def publish_answers(
    root: Path,
    name: str,
    answers: Sequence[Feedback],
    branch: str,
    git_remote: str,
    prepare: Sequence[str],
    say: Callable[[str], object],
) -> bool:
    """Add answers to a corpus by `gazette corpus correct`, in a worktree, and push data and pointer to the branch.

    Returns whether anything changed: answers that the corpus has are not added again. Raises ConfigError if the push is
    rejected, as when the branch moved meanwhile, DataContractError if the answers contradict each other.
    """
    with worktree(root, branch, git_remote) as tree:
        raw_data.fetch_data(tree.folder, prepare, say)
        folder = state.state_folder(tree.folder) / ANSWERS
        paths = sorted({str(feedback.append(folder, answer)) for answer in answers})
        if not paths:
            return False
        _correct(tree.folder, name, paths, say)
        pointer = str(pointers.pointer_path(RAW / name))
        if not git.run("status", "--porcelain", "--", pointer, folder=tree.folder):
            return False
        git.add([pointer], tree.folder)
        message = f"Correct the corpus {name}: {tally(len(answers), 'answer')}"
        git.run("commit", "--quiet", "--no-verify", "--message", message, folder=tree.folder)
        if storage.default_remote(tree.folder):
            remote.check_answers(tree.folder)
            dvc_command.run("push", "--quiet", pointer, folder=tree.folder)
        if error := publish.push(tree, git.resolve_commit("HEAD", tree.folder), branch):
            raise ConfigError(
                f"the answers are not added to {name}, since {branch} at {tree.remote} rejects the push; the next run "
                f"tries again:\n{error}"
            )
    return True


def _correct(folder: Path, name: str, paths: Sequence[str], say: Callable[[str], object]) -> None:
    words = ("corpus", "correct", name, *paths, "--yes")
    command = [sys.executable, "-m", "gazette", *words]
    done = supervisor.capture(command, child_environment(tree=folder), folder)
    if done.returncode:
        error = DataContractError if done.returncode == DataContractError.code else ConfigError
        raise error(f"`gazette corpus correct {name}` ended with {done.returncode}:\n{done.stderr.strip()}")
    say(done.stdout.strip())
