"""Publishing, with git and DVC remotes that are folders, on projects whose stages take no time."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from projects import PUBLISHED, at_remote, changed, copying, make_published, pushed, said

from gazette.core.errors import BrokenContract, Misconfigured
from gazette.pipeline import graph
from gazette.pipeline.execution import run as running
from gazette.pipeline.publishing import publish, raw_data
from gazette.pipeline.publishing.worktree import worktree


@pytest.fixture(autouse=True)
def _somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "t")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "t@example.org")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three: a project that is up to date, the git remote and the DVC remote where all of it is."""
    box = tmp_path_factory.mktemp("made")
    make_published(box)
    return box


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A clone of `origin` with a DVC remote, all up to date and pushed."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "project"


def run(root: Path, meanwhile: Callable[[], object] = lambda: None, name: str = "a-run") -> publish.Published:
    """What the flow does, without Prefect, one stage after another; `meanwhile` happens before it publishes."""
    with worktree(root, "main") as tree:
        raw_data.bring(tree.folder)
        for stage in PUBLISHED:
            assert running.run(tree.folder, stage, print).code == 0
        meanwhile()
        text = publish.message(name, [("train", "ran")], graph.metrics_diff(tree.folder))
        return publish.publish(tree, name, text)


def test_nothing_changed_pushes_nothing_and_leaves_no_tree(project: Path) -> None:
    before = at_remote(project, "git for-each-ref")
    assert run(project).commit is None
    assert at_remote(project, "git for-each-ref") == before
    assert said(project, "git worktree list").count("\n") == 0 and not list(project.glob(".gazette/retrain-*"))
    assert said(project, "git status --porcelain") == ""


def test_a_change_is_one_commit_whose_data_are_at_the_remote_and_whose_message_says_what_ran(project: Path) -> None:
    theirs = changed(project)
    (project / "params.yaml").write_text("seed: 99\n")  # an edit of the user's, of which the run knows nothing
    made = run(project)
    assert made == publish.Published(at_remote(project, "git rev-parse main"), "main")
    assert at_remote(project, "git rev-parse main^") == theirs
    assert at_remote(project, "git diff --name-only main^ main").split() == ["dvc.lock", "m.json"]
    text = at_remote(project, "git log -1 --format=%B main")
    assert text.startswith("Retrained: train\n") and "  m.json f1: 7 -> 8\n" in text and "Flow-Run: a-run\n" in text
    fresh = project.parent / "fresh"
    said(project.parent, "git clone -q --branch main origin.git fresh && cd fresh && dvc pull -q && dvc status -q")
    assert (fresh / "made_train").read_text() == "1\n8\n"
    assert (project / "params.yaml").read_text() == "seed: 99\n" and (project / "made_train").read_text() == "1\n7\n"


def test_a_run_that_is_tried_again_makes_one_commit(project: Path) -> None:
    changed(project)
    first, second = run(project), run(project)
    assert first.commit and second.commit is None
    assert at_remote(project, "git rev-list --count main") == "4"


def test_a_branch_that_moved_in_what_no_stage_reads_gets_the_commit_on_top(project: Path) -> None:
    changed(project)
    made = run(project, meanwhile=lambda: pushed(project, unread="1\n"))
    assert made.branch == "main" and made.commit == at_remote(project, "git rev-parse main")
    assert at_remote(project, "git log --format=%s main").split("\n")[:2] == ["Retrained: train", "theirs"]
    assert at_remote(project, "git show main:unread") == "1"


@pytest.mark.parametrize("files", [{"params__yaml": "seed: 9\n"}, {"dvc__yaml": "stages: {what"}])
def test_a_branch_that_moved_in_what_stages_read_stays_and_the_results_get_their_own(
    project: Path, files: dict[str, str]
) -> None:
    changed(project)
    theirs: list[str] = []
    for _ in range(2):  # tried again it is the same
        made = run(project, meanwhile=lambda: theirs.append(pushed(project, **files, unread=f"{len(theirs)}")))
        assert made.branch == "retrain/a-run" and "moved" in made.why
        assert at_remote(project, "git rev-parse main") == theirs[-1]
        assert at_remote(project, "git show retrain/a-run:m.json") == '{"f1": 8}'
        said(project, f"git push -q --force origin {theirs[0]}^:refs/heads/main")


def test_results_that_another_run_left_meanwhile_are_not_committed_again(project: Path) -> None:
    changed(project)
    first: list[publish.Published] = []
    second = run(project, meanwhile=lambda: first.append(run(project, name="another")), name="slow")
    assert first[0].commit and (second.commit, second.branch) == (None, "main")
    assert at_remote(project, "git rev-list --count main") == "4"


def test_other_results_for_the_same_inputs_are_not_put_over_those_that_came_first(project: Path) -> None:
    random = {**PUBLISHED, "start": copying("start", "raw", then="date +%N >> made_start")}
    pushed(project, dvc__yaml=f"stages: {json.dumps(random)}")
    second = run(project, meanwhile=lambda: said(project, "rm -rf .dvc/cache/runs") + str(run(project)))
    assert second == publish.Published(None, "main", "results for these inputs stand there already")


def test_raw_data_that_differ_from_their_pointer_are_refused(project: Path) -> None:
    with worktree(project, "main") as tree:
        raw_data.bring(tree.folder)
        (tree.folder / "raw").write_text("2\n")
        with pytest.raises(BrokenContract, match=r"raw data differ from raw\.dvc \(out raw: .*`dvc add`"):
            publish.publish(tree, "a-run", "text")
        said(tree.folder, "dvc repro")  # which puts the new hash into the pointer
        with pytest.raises(BrokenContract, match=r"raw data differ from raw\.dvc as committed"):
            publish.publish(tree, "a-run", "text")
    assert at_remote(project, "git rev-list --count main") == "2"


def test_raw_data_that_were_damaged_in_the_cache_are_refused(project: Path) -> None:
    said(project, "rm -rf ../store/files")
    damaged = ".dvc/cache/files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1"
    said(project, f"chmod u+w {damaged} && echo 2 > {damaged} && chmod u-w {damaged}")
    with pytest.raises(BrokenContract, match=r"otherwise than their pointer names them: raw;"):
        run(project)


def test_raw_data_that_are_nowhere_are_asked_for(project: Path) -> None:
    said(project, "rm -rf .dvc/cache ../store/files")
    with pytest.raises(Misconfigured, match="neither in the cache nor at the remote"):
        run(project)


def test_raw_data_come_from_the_remote_where_the_cache_has_them_not(project: Path) -> None:
    said(project, "rm -rf .dvc/cache")
    assert run(project).commit is None


def test_a_repository_without_remotes_publishes_to_a_branch_that_nobody_has_checked_out(project: Path) -> None:
    said(project, "git remote remove origin && dvc remote remove store && echo 'seed: 8' > params.yaml")
    said(project, "git commit -qam eight")
    made = run(project)
    assert made.branch == "retrain/a-run" and "takes no push" in made.why, "main is checked out"
    said(project, "git checkout -q --detach")
    assert run(project).branch == "main" and said(project, "git show main:m.json") == '{"f1": 8}'


def test_a_branch_that_does_not_exist_is_named(project: Path) -> None:
    with pytest.raises(Misconfigured, match="refs/heads/nightly"), worktree(project, "nightly"):
        pass
    assert said(project, "git worktree list").count("\n") == 0


def test_what_a_killed_run_left_is_removed_by_the_next_and_what_runs_is_not(project: Path) -> None:
    killed = """import os, pathlib, gazette.pipeline.publishing.worktree
with gazette.pipeline.publishing.worktree.worktree(pathlib.Path(), "main"): os.kill(os.getpid(), 9)"""
    subprocess.run([sys.executable, "-c", killed], cwd=project, check=False)
    assert said(project, "git worktree list").count("\n") == 1
    with worktree(project, "main") as first, worktree(project, "main") as second:
        assert said(project, "git worktree list").count("\n") == 2
        assert first.folder.exists() and second.folder.exists()


def test_two_at_once_leave_one_commit(project: Path) -> None:
    changed(project)
    with ThreadPoolExecutor() as pool:
        made = [future.result() for future in [pool.submit(run, project, name=name) for name in ("one", "two")]]
    assert sorted(bool(one.commit) for one in made) == [False, True]
    assert at_remote(project, "git rev-list --count main") == "4"
    assert at_remote(project, "git branch --list 'retrain/*'") == ""
