"""The base of a change: fetched, or rebuilt if its bundle cannot be found."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from prefect_dvc import git, hashing, revisions
from prefect_dvc.core.errors import ConfigError
from projects import shell

from gazette.evaluation.ci import base, checkout

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("warm_commands")]

RUN = "dvc repro -q evaluate && git add -A && git commit -qm ran"
STAGES = {
    "select": {"cmd": "mkdir bundle && cat data/raw/tiny/a seed > bundle/a", "deps": ["data/raw/tiny/a", "seed"],
               "outs": ["bundle"]},
    "evaluate": {"cmd": "cat bundle/a > score", "deps": ["bundle"], "metrics": [{"score": {"cache": False}}]},
}  # fmt: skip


@pytest.fixture
def root(dvc_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two commits that were run; the tag `base` is the first."""
    root = dvc_project(STAGES, seed="7\n", params__yaml="corpus: tiny\npretrained: {}\n")
    (root / "data" / "raw" / "tiny").mkdir(parents=True)
    (root / "data" / "raw" / "tiny" / "a").write_text("an article\n")
    (root / ".gitignore").write_text("/.gazette\n/bundle\n")
    monkeypatch.chdir(root)
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "t@example.org")
    shell(root, f"{RUN} && git tag base && echo 8 > seed && {RUN}")
    return root


def test_a_base_whose_bundle_is_available_is_used_as_it_is(root: Path) -> None:
    result = base.find_base(root, "base", "bundle", print)
    assert result == base.Base("base", git.resolve_commit("base"), git.resolve_commit("base"))


def test_a_base_whose_bundle_is_missing_is_rebuilt_and_the_tree_stays_untouched(root: Path) -> None:
    shutil.rmtree(root / ".dvc" / "cache")
    before = hashing.dvc_hash(root / "bundle")
    result = base.find_base(root, "base", "bundle", print)
    assert (result.commit, result.rebuilt, result.same) == (git.resolve_commit("base"), True, True)
    revisions.fetch_file(result.compared, "bundle", root / "theirs")
    assert (root / "theirs" / "a").read_text() == "an article\n7\n"
    assert hashing.dvc_hash(root / "bundle") == before
    assert git.run("status", "--porcelain").split() == ["??", "theirs/"]
    assert len(git.run("worktree", "list").splitlines()) == 1 and not git.run("branch", "--contains", result.compared)


def test_a_base_that_was_committed_without_its_run_is_rebuilt_from_its_files(root: Path) -> None:
    shell(
        root,
        "git checkout -q base && echo 9 > seed && git commit -qam unrun && git tag unrun && git checkout -q master",
    )
    shutil.rmtree(root / ".dvc" / "cache")
    result = base.find_base(root, "unrun", "bundle", print)
    assert (result.rebuilt, result.same) == (True, False)
    revisions.fetch_file(result.compared, "bundle", root / "theirs")
    assert (root / "theirs" / "a").read_text() == "an article\n9\n"


def test_a_base_that_does_not_run_is_refused_with_its_output(root: Path) -> None:
    shell(
        root,
        "git checkout -q base && sed -i 's/mkdir bundle/false/' dvc.yaml && git commit -qam broken && git tag broken",
    )
    shell(root, "git checkout -q -")
    shutil.rmtree(root / ".dvc" / "cache")
    with pytest.raises(ConfigError, match="broken does not run here"):
        base.find_base(root, "broken", "bundle", print)


def test_missing_files_are_fetched_and_existing_ones_left_alone(root: Path) -> None:
    (root / "bundle" / "a").write_text("mine\n")
    checkout.fetch_inputs(root, print)
    assert (root / "bundle" / "a").read_text() == "mine\n"
    shutil.rmtree(root / "bundle")
    assert checkout.fetch_inputs(root, print) == []
    assert (root / "bundle" / "a").read_text() == "an article\n8\n"


def test_a_remote_that_does_not_answer_is_noted(root: Path) -> None:
    shell(root, "dvc remote add -q --local --default store http://127.0.0.1:9/none")
    shutil.rmtree(root / ".dvc" / "cache")
    shutil.rmtree(root / "bundle")
    (note,) = checkout.fetch_inputs(root, print)
    assert "The DVC remote store lacks some" in note
