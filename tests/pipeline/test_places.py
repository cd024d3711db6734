"""A project works wherever it stands in a repository: at the top, in a subfolder, below the folder with `.dvc`."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect_dvc import git, graph, revisions, storage
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.execution.run import run_stage
from prefect_dvc.flows import experiment
from prefect_dvc.publishing import publish, raw_data, worktree
from prefect_dvc.recovery import guard, rwlock
from projects import PUBLISHED, SOMEBODY, ask_remote, make_project, make_published, shell

from gazette.evaluation.ci import review
from gazette.lineage.proof import clone, verify
from gazette.pipeline import dvclock

pytestmark = pytest.mark.usefixtures("warm_commands")

ODD = "ml/a b#%'新\"闻"
PLACES = {"subfolder": ("ml/news", "ml/news"), "odd": (ODD, ODD), "dvc above": ("ml/news", "")}


@pytest.fixture(scope="module", params=PLACES.values(), ids=PLACES)
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a project in a place of its repository; returns the folder with its remotes, and its path in there."""
    box = tmp_path_factory.mktemp("place")
    return box, make_published(box, *request.param).relative_to(box)


@pytest.fixture
def project(
    published: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, Path]]:
    """Yield the top of a copy's repository, and the project in it, which is the working folder."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "t")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "t@example.org")
    shutil.copytree(published[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path / published[1])
    yield tmp_path / "project", tmp_path / published[1]


@pytest.mark.slow
def test_what_reads_a_project_reads_its_own_folder(project: tuple[Path, Path], tmp_path: Path) -> None:
    top, root = project
    assert [node.name for node in graph.read_graph(root)] == list(PUBLISHED)
    assert (graph.git_tracked_outputs(root), graph.list_dvc_files(root)) == (["dvc.lock", "m.json"], ["dvc.yaml"])
    assert git.prefix() == root.relative_to(top) and storage.list_missing(root) == []
    assert verify.verify_revision([], None) == []
    assert revisions.fetch_file("HEAD", "made_train", tmp_path / "fetched").read_text() == "1\n7\n"
    assert dvclock.load("HEAD").stages.keys() == PUBLISHED.keys()
    (root / "unread").write_text("edited\n")
    (top / "beside").write_text("not ours\n")
    assert verify.verify_revision([], None) == [f"unread: differs from commit {git.resolve_commit('HEAD')[:9]}"]


@pytest.mark.slow
def test_what_a_killed_run_left_is_repaired_where_dvc_keeps_it(project: tuple[Path, Path]) -> None:
    with guard.exclusive_run(Path()) as repairs:
        assert repairs == []
    rwlock.path_of(Path()).write_text("{")
    with guard.exclusive_run(Path()) as repairs:
        assert repairs == [".dvc/tmp/rwlock was truncated: removed"]


@pytest.mark.slow
def test_an_experiment_and_a_clone_are_of_the_project(project: tuple[Path, Path], tmp_path: Path) -> None:
    top, root = project
    (root / "unread").write_text("edited\n")
    with experiment.tree(root, ["params.yaml:seed=9"]) as tree:
        assert git.top(tree.folder) / root.relative_to(top) == tree.folder
        assert [(tree.folder / name).read_text() for name in ("params.yaml", "unread")] == ["seed: 9\n", "edited\n"]
        assert run_stage(tree.folder, "train", print, extra=tree.extra).state == "ran"
        tree.save()
    assert tree.name in shell(root, "dvc exp list") and shell(root, "git worktree list").count("\n") == 0
    recorded = dvclock.load("HEAD").stages
    cloned = clone.clone_revision(git.resolve_commit("HEAD"), recorded, tmp_path / "clone")
    clone.fetch_raw(recorded, cloned, print)
    assert cloned == tmp_path / "clone" / root.relative_to(top)
    assert (cloned / "raw").read_text() == "1\n" and not (cloned / "made_train").exists()


@pytest.mark.slow
def test_a_scheduled_run_publishes_only_the_project_while_others_push_beside_it(
    project: tuple[Path, Path], tmp_path: Path
) -> None:
    top, root = project
    inside = root.relative_to(top)
    theirs = tmp_path / "other"
    shell(tmp_path, "git clone -q origin.git other")
    (theirs / inside / "params.yaml").write_text("seed: 8\n")
    shell(theirs, "git commit -qam theirs && git push -q origin main")
    with worktree.worktree(root, "main") as tree:
        assert raw_data.fetch_data(tree.folder) == ""
        for stage in PUBLISHED:
            assert run_stage(tree.folder, stage, print).code == 0
        (theirs / "beside").write_text("theirs\n")
        shell(theirs, "git add -A && git commit -qm beside && git push -q origin main")
        text = publish.commit_message("run", [("train", "ran")], graph.metrics_diff(tree.folder))
        published = publish.publish(tree, "run", text)
    assert published.branch == "main" and published.commit == ask_remote(top, "git rev-parse main")
    changed = ask_remote(top, "git diff --name-only -z main^ main").rstrip("\0").split("\0")
    assert changed == [str(inside / name) for name in ("dvc.lock", "m.json")]
    assert "m.json f1: 7 -> 8\n" in ask_remote(top, "git log -1 --format=%B main")
    assert shell(root, "git worktree list").count("\n") == 0 and (root / "params.yaml").read_text() == "seed: 7\n"


def repository(box: Path, inside: str) -> Path:
    """Create a repository with CI's files at its top and a file of the project, and return the project."""
    root = box / inside
    (root / ".ci").mkdir(parents=True)
    for path in (box / ".gitlab-ci.yml", root / ".ci" / "run", root / "unread"):
        path.write_text("1\n")
    shell(box, f"git init -q -b main && git add -A && git {SOMEBODY} commit -qm start")
    return root


@pytest.mark.parametrize(("inside", "up"), [("", ""), ("ml/news", "../../")])
def test_files_of_ci_are_judges_at_the_top_of_the_repository_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str, up: str
) -> None:
    root = repository(tmp_path, inside)
    monkeypatch.chdir(root)
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    for path in (tmp_path / ".github/workflows/prüfung.yml", tmp_path / ".gitlab-ci.yml", root / ".ci" / "run"):
        path.write_text("2\n")
    (tmp_path / os.fsdecode(b".github/workflows/pr\xfc.yml")).write_text("2\n")
    (tmp_path / "other.cases.yaml").write_text("2\n")
    shell(root, f"git -C {tmp_path} add -A && git {SOMEBODY} commit -qm theirs")
    cases = [] if inside else ["other.cases.yaml"]
    workflows = [f"{up}.github/workflows/{name}.yml" for name in ("pr\\udcfc", "prüfung")]
    expected = [".ci/run", *workflows, f"{up}.gitlab-ci.yml", *cases]
    assert sorted(review.changed_judges("HEAD^", [])) == sorted(expected)


@pytest.mark.parametrize("kind", ["folder of another tree", "folder that a revision lacks"])
def test_a_tree_is_refused_if_git_would_work_on_another(tmp_path: Path, kind: str) -> None:
    root = repository(tmp_path / "box", "ml/news")
    if kind == "folder that a revision lacks":
        with pytest.raises(ConfigError, match="has no folder ml/news"):
            git.project_in(repository(tmp_path / "other", ""), root, "HEAD")
    else:
        (root / "tree").mkdir()
        with pytest.raises(ConfigError, match="git would work on"):
            git.project_in(root / "tree", root, "HEAD")


def test_a_project_without_git_runs_and_what_needs_commits_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    root = make_project(tmp_path, PUBLISHED, raw="1\n", params__yaml="seed: 7\n")
    shutil.rmtree(root / ".git")
    with (root / ".dvc" / "config").open("a") as file:
        file.write("    no_scm = true\n")
    monkeypatch.chdir(root)
    with guard.exclusive_run(Path()) as repairs:
        assert repairs == []
    assert [node.name for node in graph.read_graph(Path())] == list(PUBLISHED)
    assert graph.metrics_diff(Path()) == []
    for need in (lambda: worktree.worktree(root, "main"), lambda: experiment.tree(root, ["params.yaml:seed=9"])):
        with pytest.raises(ConfigError, match="a repository is needed: `git init"), need():
            pass


def test_a_project_reached_by_a_symbolic_link_is_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_project(tmp_path, PUBLISHED, inside="ml/news", dvc="ml/news", raw="1\n", params__yaml="seed: 7\n")
    link = tmp_path / "link"
    link.symlink_to(root)
    monkeypatch.chdir(link)
    for place in (link, Path()):
        assert (graph.git_tracked_outputs(place), graph.list_dvc_files(place)) == (["dvc.lock", "m.json"], ["dvc.yaml"])
    assert git.prefix(link) == Path("ml/news")
    with experiment.tree(link, []) as tree:
        assert tree.folder == link


def test_a_scheduled_run_that_could_not_sign_its_commit_fails_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path, "ml/news")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "t")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "t@example.org")
    shell(root, "git config commit.gpgSign true && git config gpg.program false")
    with pytest.raises(ConfigError, match="commit-tree -S"), worktree.worktree(root, "main"):
        pass
    assert list((root / ".gazette").glob("retrain-*/")) == []
