"""Publishing, with git and DVC remotes that are folders, on projects whose stages take no time."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from projects import PUBLISHED, ask_remote, copy_stage, make_published, push_files, push_params, shell

from prefect_dvc import graph
from prefect_dvc.core.errors import ConfigError, DataContractError
from prefect_dvc.execution import run as running
from prefect_dvc.publishing import publish, raw_data
from prefect_dvc.publishing.worktree import worktree

pytestmark = pytest.mark.usefixtures("warm_commands")


@pytest.fixture(autouse=True)
def _somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "t")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "t@example.org")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create an up-to-date project, its git remote and its DVC remote."""
    box = tmp_path_factory.mktemp("made")
    make_published(box)
    return box


@pytest.fixture
def project(published: Path, tmp_path: Path) -> Path:
    """Copy the project with its remotes."""
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    return tmp_path / "project"


def run(root: Path, meanwhile: Callable[[], object] = lambda: None, name: str = "a-run") -> publish.Published:
    """Do what the flow does, without Prefect, one stage after another; `meanwhile` happens before it publishes."""
    with worktree(root, "main") as tree:
        raw_data.fetch_data(tree.folder)
        for stage in PUBLISHED:
            assert running.run_stage(tree.folder, stage, print).code == 0
        meanwhile()
        text = publish.commit_message(name, [("train", "ran")], graph.metrics_diff(tree.folder))
        return publish.publish(tree, name, text)


def test_nothing_changed_pushes_nothing_and_leaves_no_tree(project: Path) -> None:
    before = ask_remote(project, "git for-each-ref")
    assert run(project).commit is None
    assert ask_remote(project, "git for-each-ref") == before
    assert shell(project, "git worktree list").count("\n") == 0 and not list(
        project.glob(".dvc/tmp/prefect-dvc/retrain-*")
    )
    assert shell(project, "git status --porcelain") == ""


def test_a_change_is_one_commit_whose_data_are_at_the_remote_and_whose_message_says_what_ran(project: Path) -> None:
    commit = push_params(project)
    (project / "params.yaml").write_text("seed: 99\n")  # an edit of the user's, of which the run knows nothing
    published = run(project)
    assert published == publish.Published(ask_remote(project, "git rev-parse main"), "main")
    assert ask_remote(project, "git rev-parse main^") == commit
    assert ask_remote(project, "git diff --name-only main^ main").split() == ["dvc.lock", "m.json"]
    text = ask_remote(project, "git log -1 --format=%B main")
    assert text.startswith("Retrained: train\n") and "  m.json f1: 7 -> 8\n" in text and "Flow-Run: a-run\n" in text
    fresh = project.parent / "fresh"
    shell(project.parent, "git clone -q --branch main origin.git fresh && cd fresh && dvc pull -q && dvc status -q")
    assert (fresh / "made_train").read_text() == "1\n8\n"
    assert (project / "params.yaml").read_text() == "seed: 99\n" and (project / "made_train").read_text() == "1\n7\n"


def test_a_run_that_is_retried_makes_one_commit(project: Path) -> None:
    push_params(project)
    first, second = run(project), run(project)
    assert first.commit and second.commit is None
    assert ask_remote(project, "git rev-list --count main") == "4"


def test_a_branch_that_moved_in_what_no_stage_reads_gets_the_commit_on_top(project: Path) -> None:
    push_params(project)
    published = run(project, meanwhile=lambda: push_files(project, unread="1\n"))
    assert published.branch == "main" and published.commit == ask_remote(project, "git rev-parse main")
    assert ask_remote(project, "git log --format=%s main").split("\n")[:2] == ["Retrained: train", "theirs"]
    assert ask_remote(project, "git show main:unread") == "1"


@pytest.mark.parametrize("files", [{"params__yaml": "seed: 9\n"}, {"dvc__yaml": "stages: {what"}])
def test_a_branch_that_moved_in_what_stages_read_stays_and_the_results_get_their_own(
    project: Path, files: dict[str, str]
) -> None:
    push_params(project)
    commits: list[str] = []
    for _ in range(2):  # tried again it is the same
        published = run(
            project, meanwhile=lambda: commits.append(push_files(project, **files, unread=f"{len(commits)}"))
        )
        assert published.branch == "retrain/a-run" and "moved" in published.why
        assert ask_remote(project, "git rev-parse main") == commits[-1]
        assert ask_remote(project, "git show retrain/a-run:m.json") == '{"f1": 8}'
        shell(project, f"git push -q --force origin {commits[0]}^:refs/heads/main")


def test_results_that_another_run_left_meanwhile_are_not_committed_again(project: Path) -> None:
    push_params(project)
    first: list[publish.Published] = []
    second = run(project, meanwhile=lambda: first.append(run(project, name="another")), name="slow")
    assert first[0].commit and (second.commit, second.branch) == (None, "main")
    assert ask_remote(project, "git rev-list --count main") == "4"


def test_other_results_for_the_same_inputs_are_not_put_over_those_that_came_first(project: Path) -> None:
    random = {**PUBLISHED, "start": copy_stage("start", "raw", then="date +%N >> made_start")}
    push_files(project, dvc__yaml=f"stages: {json.dumps(random)}")
    second = run(project, meanwhile=lambda: shell(project, "rm -rf .dvc/cache/runs") + str(run(project)))
    assert second == publish.Published(None, "main", "results for these inputs are there already")


def test_raw_data_that_differ_from_their_pointer_are_refused(project: Path) -> None:
    with worktree(project, "main") as tree:
        raw_data.fetch_data(tree.folder)
        (tree.folder / "raw").write_text("2\n")
        with pytest.raises(DataContractError, match=r"raw data differ from raw\.dvc \(out raw: .*`dvc add`"):
            publish.publish(tree, "a-run", "text")
        shell(tree.folder, "dvc repro")  # which puts the new hash into the pointer
        with pytest.raises(DataContractError, match=r"raw data differ from raw\.dvc as committed"):
            publish.publish(tree, "a-run", "text")
    assert ask_remote(project, "git rev-list --count main") == "2"


def test_raw_data_that_were_damaged_in_the_cache_are_refused(project: Path) -> None:
    shell(project, "rm -rf ../store/files")
    damaged = ".dvc/cache/files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1"
    shell(project, f"chmod u+w {damaged} && echo 2 > {damaged} && chmod u-w {damaged}")
    with pytest.raises(DataContractError, match=r"not as their pointer names them: raw;"):
        run(project)


def test_raw_data_that_are_nowhere_are_an_error(project: Path) -> None:
    shell(project, "rm -rf .dvc/cache ../store/files")
    with pytest.raises(ConfigError, match="neither in the cache nor at the remote"):
        run(project)


def test_raw_data_come_from_the_remote_if_the_cache_lacks_them(project: Path) -> None:
    shell(project, "rm -rf .dvc/cache")
    assert run(project).commit is None


def test_a_repository_without_remotes_publishes_to_a_branch_that_is_not_checked_out(project: Path) -> None:
    shell(project, "git remote remove origin && dvc remote remove store && echo 'seed: 8' > params.yaml")
    shell(project, "git commit -qam eight")
    published = run(project)
    assert published.branch == "retrain/a-run" and "rejects the push" in published.why, "main is checked out"
    shell(project, "git checkout -q --detach")
    assert run(project).branch == "main" and shell(project, "git show main:m.json") == '{"f1": 8}'


def test_a_branch_that_does_not_exist_is_named(project: Path) -> None:
    with pytest.raises(ConfigError, match="refs/heads/nightly"), worktree(project, "nightly"):
        pass
    assert shell(project, "git worktree list").count("\n") == 0


def test_worktrees_of_killed_runs_are_removed_and_live_ones_are_not(project: Path) -> None:
    killed = """import os, pathlib, prefect_dvc.publishing.worktree
with prefect_dvc.publishing.worktree.worktree(pathlib.Path(), "main"): os.kill(os.getpid(), 9)"""
    subprocess.run([sys.executable, "-c", killed], cwd=project, check=False)
    assert shell(project, "git worktree list").count("\n") == 1
    with worktree(project, "main") as first, worktree(project, "main") as second:
        assert shell(project, "git worktree list").count("\n") == 2
        assert first.folder.exists() and second.folder.exists()


def test_a_worktree_of_the_users_whose_disk_is_away_stays_known_to_git(project: Path, tmp_path: Path) -> None:
    shell(project, f"git worktree add -q --detach {tmp_path}/disk")
    (tmp_path / "disk").rename(tmp_path / "unmounted")
    assert run(project).commit is None
    (tmp_path / "unmounted").rename(tmp_path / "disk")
    assert shell(tmp_path / "disk", "git rev-parse HEAD") == shell(project, "git rev-parse HEAD")


def test_an_entry_of_git_for_a_killed_runs_worktree_that_is_gone_is_removed(project: Path) -> None:
    killed = """import os, pathlib, prefect_dvc.publishing.worktree
with prefect_dvc.publishing.worktree.worktree(pathlib.Path(), "main"): os.kill(os.getpid(), 9)"""
    shell(project, f"{sys.executable} -c '{killed}' || rm -r .dvc/tmp/prefect-dvc/retrain-*")
    assert shell(project, "git worktree list").count("\n") == 1
    run(project)
    assert shell(project, "git worktree list").count("\n") == 0


def test_a_folder_of_the_users_among_worktrees_stays(project: Path) -> None:
    mine = project / ".dvc" / "tmp" / "prefect-dvc" / "retrain-mine"
    mine.mkdir(parents=True)
    (mine / "lock").write_text("mine")
    (mine / "notes.txt").write_text("{}")
    run(project)
    assert (mine / "lock").read_text() == "mine" and len(list(mine.iterdir())) == 2


def test_two_at_once_leave_one_commit(project: Path) -> None:
    push_params(project)
    with ThreadPoolExecutor() as pool:
        published = [future.result() for future in [pool.submit(run, project, name=name) for name in ("one", "two")]]
    assert sorted(bool(result.commit) for result in published) == [False, True]
    assert ask_remote(project, "git rev-list --count main") == "4"
    assert ask_remote(project, "git branch --list 'retrain/*'") == ""
