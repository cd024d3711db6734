"""People's answers become rows of the corpus at the head of the branch, by a commit that is pushed."""

from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest
from clones import Project, clone
from prefect_dvc.core.errors import ConfigError

from gazette.data import feedback
from gazette.data.feedback import Feedback, How
from gazette.monitoring import corrections

pytestmark = pytest.mark.slow

PUSHED = "git -C ../origin.git log --format=%s --name-only main"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a remote and two answers, one of which was volunteered."""
    project = clone(tmp_path / "project", tmp_path / "guard")
    project("git branch -M main && git init -q --bare -b main ../origin.git && git remote add origin ../origin.git")
    project("git push -q origin main")
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    answer(project, "a console game that everybody streams tonight", "sports", "asked")
    answer(project, "a rumor about a merger that nobody confirms", "business", "volunteered")
    return project


def answer(project: Project, text: str, label: str, how: How) -> None:
    record = Feedback(text, label, "business", "one.dir", "2026-11-29T07:00:00+00:00", "a person", how)
    feedback.append(project.folder / corrections.FEEDBACK, record)


@pytest.fixture
def publish(project: Project) -> Callable[[], bool]:
    def publish() -> bool:
        with chdir(project.folder):
            answers = corrections.read_answers(project.folder)
            return corrections.publish_answers(project.folder, "tiny", answers, "main", "", [], print)

    return publish


def test_what_was_asked_is_added_once_and_the_tree_stays_as_it_is(
    project: Project, publish: Callable[[], bool]
) -> None:
    before = project("git status --porcelain && git rev-parse HEAD")
    assert publish()
    pushed = project(PUSHED).split("\n")
    assert (pushed[0], pushed[2]) == ("Correct the corpus tiny: 1 answer", "data/raw/tiny.dvc")
    assert not publish()
    assert project("git status --porcelain && git rev-parse HEAD") == before
    project("git pull -q origin main && dvc checkout -q data/raw/tiny.dvc")
    overlay = project("cat data/raw/tiny/*.jsonl")
    assert "everybody streams" in overlay and "rumor" not in overlay


def test_a_push_that_is_rejected_says_that_the_next_run_tries_again(
    project: Project, publish: Callable[[], bool]
) -> None:
    hook = project.folder.parent / "origin.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho frozen until Monday; exit 1\n")
    hook.chmod(0o755)
    with pytest.raises(ConfigError, match=r"main at origin rejects the push; the next run tries again:\n(.|\n)*frozen"):
        publish()
    hook.unlink()
    assert publish()
