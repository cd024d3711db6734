"""A proposed change, judged as in continuous integration: three branches of a small real project, and the comment."""

import re
from collections.abc import Iterator

import pytest
from clones import Project, clone, write_news
from root import ROOT

pytestmark = pytest.mark.slow

GATE = {
    "margin": 0.1,  # 120 test rows tell no less apart
    "resamples": 500,
    "min_slice_rows": 20,
    "min_invariance": 0.0,
    "floors": {
        "accuracy": 0.5, "macro_f1": 0.5, "worst_recall": 0.1, "ece": 1.0, "megabytes": 50.0, "milliseconds": 1000.0
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A clone whose branch `main` was run and committed: a linear model that reads two words of each article."""
    box = tmp_path_factory.mktemp("ci")
    project = clone(box / "project", box / "guard")
    project.environment["PYTHONPATH"] += f":{ROOT / 'src'}"
    write_news(project.folder / "data" / "raw" / "tiny" / "news.csv", rows=600)
    project.set(candidates=["linear"], linear={"max_length": 2}, gate=GATE)
    project("dvc add -q data/raw/tiny && gazette run && git branch -M main && git add -A && git commit -qm ran")
    yield project
    assert not project.lookups.exists(), f"hosts were looked up: {project.lookups.read_text()}"


@pytest.fixture(autouse=True)
def as_it_was(project: Project) -> Iterator[None]:
    yield
    project("git checkout -q --force main && dvc checkout --quiet --force && rm -f comment.md")


def propose(project: Project, name: str, run: str = "gazette run && ") -> None:
    """Commits what was changed on a branch of its own, run or not."""
    project(f"git checkout -q -b {name} && {run}git add -A && git commit -qm {name}")


def comment(project: Project, code: int, options: str = "") -> str:
    """What `gazette ci` comments, in a file and on its standard output alike."""
    project(f"gazette ci --base main --comment comment.md {options} > out.md", code=code)
    text = (project.folder / "comment.md").read_text()
    assert text == (project.folder / "out.md").read_text()
    (project.folder / "out.md").unlink()
    return re.sub(" +", " ", text)  # tables without padding


def fresh(project: Project, branch: str) -> Project:
    """A clone without DVC's cache, at a branch."""
    folder = project.folder.parent / f"fresh-{branch}"
    project(f"git clone -q --branch {branch} . '{folder}' && git -C '{folder}' branch -q main origin/main")
    copy = Project(folder, project.lookups.parent)
    copy.environment = project.environment
    return copy


def test_a_better_model_is_accepted(project: Project) -> None:
    project.set(linear={"max_length": 50})
    propose(project, "better")
    text = comment(project, 0, "--link https://ci.example.org/run/7")
    assert text.startswith("## ✅ Accepted, macro-F1 +")
    assert "| `models.linear.max_length` | `2` | `50` |" in text
    assert "test articles flipped" in text and "| now right |" in text and "now wrong" not in text
    assert "⚠️" not in text
    assert "https://ci.example.org/run/7" in text


def test_a_worse_model_is_rejected(project: Project) -> None:
    project.set(linear={"max_features": 1})
    propose(project, "worse")
    text = comment(project, 1)
    assert text.startswith("## ❌ Rejected, macro-F1 −") and "non-inferiority" in text.splitlines()[0]
    assert "Slices that moved" in text and "| now wrong |" in text
    assert "season" not in text and "season" in comment(project, 1, "--excerpt 200")


def test_a_corpus_that_breaks_its_contract_is_told_by_place_and_reason(project: Project) -> None:
    with (project.folder / "data" / "raw" / "tiny" / "news.csv").open("a") as file:
        file.writelines(f"sport,secret title {number},body\n" for number in range(20))
    project("dvc add -q data/raw/tiny")
    propose(project, "broken", run="")
    text = comment(project, 3)
    assert text.startswith("## ❌ The corpus breaks its contract")
    assert "20 rows (3.2%) break the row contract; validate.max\\_quarantined in params.yaml allows 1.0%: 20 of" in text
    assert "| `news.csv` | 602 | `unknown label 'sport': did you mean 'sports'?` |" in text
    assert "secret title" not in text


def test_a_lock_that_was_not_made_from_what_is_committed_is_not_accepted(project: Project) -> None:
    project.set(linear={"max_length": 50}, gate={"power": 0.9})
    propose(project, "stale", run="")
    text = comment(project, 1)
    assert text.startswith("## ❌ Not accepted: `dvc.lock` belongs to other inputs, macro-F1 +")
    assert "`models.linear.max_length: 2 → 50 (train@linear, register)`" in text
    assert "changes what judges it: `gate.power`" in text
    project("git checkout -q --force stale")
    assert comment(project, 0, "--allow-stale-lock").startswith("## ✅ Accepted")


def test_a_clone_without_a_cache_takes_the_data_from_the_remote_and_makes_a_base_that_is_nowhere(
    project: Project,
) -> None:
    project.set(linear={"max_length": 40})
    propose(project, "remote")
    clone = fresh(project, "remote")
    assert "copy its files to data/raw/tiny" in comment(clone, 2)  # neither cache nor remote nor where it is had
    store = project.folder.parent / "store"
    for tree in (project, clone):
        tree(f"dvc remote add --local --default store '{store}'")
    project("dvc push --quiet")  # of this branch alone
    text = comment(clone, 0)
    assert text.startswith("## ✅ Accepted, macro-F1 +")
    assert "neither in DVC's cache nor in its remote; rebuilt here, with the same bytes" in text
