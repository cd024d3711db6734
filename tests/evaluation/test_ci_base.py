"""The base of a change: taken from where it is, or made again where its bundle is nowhere."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import said

from gazette.core.errors import Misconfigured
from gazette.evaluation.ci import base, checkout
from gazette.pipeline import git, hashing, revisions

pytestmark = pytest.mark.slow

RUN = "dvc repro -q evaluate && git add -A && git commit -qm ran"
STAGES = {
    "select": {"cmd": "mkdir bundle && cat data/raw/tiny/a seed > bundle/a", "deps": ["data/raw/tiny/a", "seed"],
               "outs": ["bundle"]},
    "evaluate": {"cmd": "cat bundle/a > score", "deps": ["bundle"], "metrics": [{"score": {"cache": False}}]},
}  # fmt: skip


@pytest.fixture
def root(dvc_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two commits that were run; the tag `base` is the first."""
    root = dvc_project(STAGES, seed="7\n", params__yaml="corpus: tiny\n")
    (root / "data" / "raw" / "tiny").mkdir(parents=True)
    (root / "data" / "raw" / "tiny" / "a").write_text("an article\n")
    (root / ".gitignore").write_text("/.gazette\n/bundle\n")
    monkeypatch.chdir(root)
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "t@example.org")
    said(root, f"{RUN} && git tag base && echo 8 > seed && {RUN}")
    return root


def test_a_base_whose_bundle_is_at_hand_is_taken_as_it_is(root: Path) -> None:
    found = base.find(root, "base", "bundle", print)
    assert found == base.Base("base", git.commit("base"), git.commit("base"))


def test_a_base_whose_bundle_is_nowhere_is_made_again_and_nothing_of_the_tree_is_touched(root: Path) -> None:
    shutil.rmtree(root / ".dvc" / "cache")
    before = hashing.of_bundle(root / "bundle")
    found = base.find(root, "base", "bundle", print)
    assert (found.commit, found.remade, found.same) == (git.commit("base"), True, True)
    revisions.fetch(found.compared, "bundle", root / "theirs")
    assert (root / "theirs" / "a").read_text() == "an article\n7\n"
    assert hashing.of_bundle(root / "bundle") == before
    assert git.said("status", "--porcelain").split() == ["??", "theirs/"]
    assert len(git.said("worktree", "list").splitlines()) == 1 and not git.said("branch", "--contains", found.compared)


def test_a_base_that_was_committed_without_its_run_is_made_from_what_it_says(root: Path) -> None:
    said(
        root,
        "git checkout -q base && echo 9 > seed && git commit -qam unrun && git tag unrun && git checkout -q master",
    )
    shutil.rmtree(root / ".dvc" / "cache")
    found = base.find(root, "unrun", "bundle", print)
    assert (found.remade, found.same) == (True, False)
    revisions.fetch(found.compared, "bundle", root / "theirs")
    assert (root / "theirs" / "a").read_text() == "an article\n9\n"


def test_a_base_that_does_not_run_is_refused_with_what_it_said(root: Path) -> None:
    said(
        root,
        "git checkout -q base && sed -i 's/mkdir bundle/false/' dvc.yaml && git commit -qam broken && git tag broken",
    )
    said(root, "git checkout -q -")
    shutil.rmtree(root / ".dvc" / "cache")
    with pytest.raises(Misconfigured, match="broken does not run here"):
        base.find(root, "broken", "bundle", print)


def test_what_is_missing_is_brought_and_what_is_there_is_left_alone(root: Path) -> None:
    (root / "bundle" / "a").write_text("mine\n")
    checkout.bring(root, print)
    assert (root / "bundle" / "a").read_text() == "mine\n"
    shutil.rmtree(root / "bundle")
    assert checkout.bring(root, print) == []
    assert (root / "bundle" / "a").read_text() == "an article\n8\n"


def test_a_remote_that_does_not_answer_is_told(root: Path) -> None:
    said(root, "dvc remote add -q --local --default store http://127.0.0.1:9/none")
    shutil.rmtree(root / ".dvc" / "cache")
    shutil.rmtree(root / "bundle")
    (note,) = checkout.bring(root, print)
    assert "The DVC remote store did not give all" in note
