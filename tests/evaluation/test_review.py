"""What a change changes of its own judges."""

import re
from pathlib import Path

import pytest
from lineages import DESCRIPTION, git
from root import ROOT

from gazette.evaluation.ci import review


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit with a judge, cases of a corpus, and a file that judges nothing."""
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    git("config", "user.email", "a@example.org")
    git("config", "user.name", "Ada")
    for path in ("src/gazette/evaluation/gate/rules.py", "data/corpora/tiny.cases.yaml", "src/gazette/core/files.py"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(f"# {path}\n" * 20)
    git("add", "-A")
    git("commit", "-q", "-m", "judges")


def test_every_judge_exists() -> None:
    assert [path for path in review.JUDGES if not (ROOT / path).exists()] == []
    assert [path for path in review.JUDGES if path.endswith("/") != (ROOT / path).is_dir()] == []
    assert list((ROOT / "data" / "corpora").glob(f"*{review.JUDGING_FILES}"))


@pytest.mark.parametrize("path", ["src/gazette/evaluation/gate/rules.py", "data/corpora/tiny.cases.yaml"])
def test_a_judge_that_is_moved_away_is_still_seen(project: None, path: str) -> None:
    git("mv", path, "src/gazette/core/moved.txt")
    assert review.changed_judges("HEAD", []) == [path]
    git("commit", "-q", "-m", "moved")
    assert review.changed_judges("HEAD~1", []) == [path]


def test_only_judges_and_their_params_are_listed(project: None) -> None:
    Path("src/gazette/core/files.py").write_text("")
    params = [{"name": name} for name in ("gate.margin", "train.seed", "validate.max_quarantined")]
    assert review.changed_judges("HEAD", params) == ["gate.margin", "validate.max_quarantined"]


def test_a_base_of_another_corpus_is_refused_before_anything_runs(project: None) -> None:
    params = (ROOT / "params.yaml").read_text(encoding="utf-8")
    Path("data/corpora/tiny.yaml").write_text(DESCRIPTION)
    for corpus in ("far", "tiny"):
        Path("params.yaml").write_text(re.sub("^corpus: .*", f"corpus: {corpus}", params), encoding="utf-8")
        git("add", "-A")
        git("commit", "-q", "-m", corpus)
    lines: list[str] = []
    result = review.review_change("HEAD~1", lines.append)
    assert result.code == 2 and "HEAD~1 is of the corpus far, this revision of tiny" in result.message
    assert not lines and {"name": "corpus", "before": "far", "after": "tiny"} in result.params
