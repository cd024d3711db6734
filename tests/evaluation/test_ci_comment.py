"""The comment on a proposed change, and the workflows that make and post it."""

import copy
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from prefect_dvc.recovery import guard
from root import ROOT
from ruamel.yaml import YAML

from gazette.cli.ci import ci
from gazette.evaluation.ci import comment, staleness
from gazette.evaluation.ci.base import Base
from gazette.evaluation.ci.breach import Breach
from gazette.evaluation.ci.review import Review, failure_reason
from gazette.registry.verdict import Finding, Verdict

WORKFLOWS = {path.name: YAML(typ="safe", pure=True).load(path) for path in (ROOT / ".github/workflows").glob("*.yml")}
HOSTILE = "<img src=x onerror=alert(1)> | @everyone `#1` [x](http://example.org) \u202e\n# heading"
LOCK = {
    "clean": {
        "cmd": "clean", "deps": [{"path": "raw", "md5": "a"}, {"path": "src/clean.py", "md5": "b"}],
        "outs": [{"path": "made/clean", "md5": "c"}],
    },
    "train": {
        "cmd": "train", "deps": [{"path": "made", "md5": "c.dir"}], "outs": [{"path": "model", "md5": "d"}],
        "params": {"params.yaml": {"train": {"seed": 7}}},
    },
}  # fmt: skip


def judged(word: str = "accept", code: int = 0, **more: Any) -> Review:
    findings = [Finding("accuracy", "pass" if word == "accept" else "fail", 0.9, "at least 0.85")]
    difference = {"difference": 0.01, "low": -0.002, "high": 0.02}
    figures = {
        "rows": 443, "compared": "on all labels", "ours": {"accuracy": 0.9, "macro_f1": 0.9, "ece": 0.03},
        "theirs": {"accuracy": 0.89, "macro_f1": 0.89, "ece": 0.04},
        "difference": {"accuracy": difference, "macro_f1": difference, "mcnemar_p": 0.5,
                       "disagree": 0.02, "lost": 2, "won": 5, "rows_needed": 4000},
        "slices": [{"slice": "class", "value": HOSTILE, "rows": 99, "ours": 0.8, "theirs": 0.9, "p": 0.01}],
    }  # fmt: skip
    baseline = {"reference": "main", "digest": "e" * 32, "version": None, "revision": "f" * 40}
    verdict = Verdict(word, "d" * 32, "a" * 40, "tiny", baseline, findings, figures)
    return Review(code, "a" * 40, Base("main", "f" * 40, "f" * 40), verdict=verdict, **more)


def flips(*rows: dict[str, Any]) -> dict[str, Any]:
    """Fields of an account in which these articles flipped."""
    paired = {"flipped": len(rows), "articles": 443}
    return {"flipped": [*rows], "difference": {"metrics": {"paired": paired}}}


def flipped(**more: Any) -> dict[str, Any]:
    row = {"file": "news.csv", "line": 7, "label": "trade", "before": "trade", "after": "sport", "change": "now wrong",
           "probability": 0.93}  # fmt: skip
    return row | more


def test_an_accepted_change_says_so_in_a_line_with_the_interval() -> None:
    text = comment.render_comment(judged())
    assert text.splitlines()[0] == "## ✅ Accepted, macro-F1 +0.0100 (−0.0020 to +0.0200) against `main`"


def test_a_rejected_change_names_the_rules_that_failed() -> None:
    text = comment.render_comment(judged("reject", 1))
    assert text.startswith("## ❌ Rejected") and "accuracy" in text.splitlines()[0]
    assert "**accuracy**: 0.9, expected at least 0.85" in text


def test_an_inconclusive_comment_names_enough_rows_to_decide() -> None:
    text = comment.render_comment(judged("inconclusive", 1))
    assert (
        text.startswith("## ❓ Inconclusive") and "443 test rows, about 4,000 would be enough" in text.splitlines()[0]
    )


def test_a_lock_of_other_inputs_is_no_acceptance_and_the_cure_is_said() -> None:
    text = comment.render_comment(judged(code=1, lock=staleness.Staleness(inputs=["train.seed: 7 → 8 (train)"])))
    assert text.startswith("## ❌ Not accepted: `dvc.lock` belongs to other inputs")
    assert "`train.seed: 7 → 8 (train)`" in text and "`gazette run`" in text


def test_other_bytes_of_the_same_inputs_only_warn() -> None:
    text = comment.render_comment(judged(lock=staleness.Staleness(outputs=["models/selected"])))
    assert text.startswith("## ✅") and "`models/selected`" in text


def test_a_change_of_what_judges_it_is_pointed_at() -> None:
    assert "changes what judges it: `gate.margin`" in comment.render_comment(judged(judges=["gate.margin"]))


def unpadded(text: str) -> str:
    """A comment whose tables have no padding."""
    return re.sub(" +", " ", text)


def kinds(text: str) -> set[str]:
    """What Markdown makes of a comment: the kinds of its inline parts, and the text outside of code."""
    parts = [part for token in MarkdownIt().enable("table").parse(text) for part in token.children or []]
    return {part.type for part in parts} | {part.content for part in parts if part.type == "text"}


@pytest.mark.parametrize("place", ["file", "label", "before", "after"])
def test_words_of_a_corpus_are_inert_where_articles_flipped(place: str) -> None:
    parts = kinds(comment.render_comment(judged(**flips(flipped(**{place: HOSTILE})))))
    assert not parts & {"html_inline", "link_open", "image", "em_open"}
    assert not [text for text in parts if "@everyone" in text or "\u202e" in text]


def test_words_of_a_corpus_are_inert_in_slices_and_reasons() -> None:
    breach = Breach([], 1, 0.5, 0.01, [{"file": HOSTILE, "line": 3, "reason": HOSTILE}])
    for text in (comment.render_comment(judged()), comment.render_comment(Review(3, "a" * 40, breach=breach))):
        assert not kinds(text) & {"html_inline", "link_open", "image", "em_open"}
        assert "\n# heading" not in text and "\u202e" not in text
        assert not [text for text in kinds(text) if "@everyone" in text]


def test_a_table_keeps_its_columns_whatever_stands_in_it() -> None:
    html = MarkdownIt().enable("table").render(comment.render_comment(judged(**flips(flipped(file="a | `b` | c")))))
    row = next(row for row in html.split("<tr>") if ">7<" in row)
    assert row.count("<td") == 6 and "<code>a | `b` | c</code>" in row


def test_no_text_is_quoted_unless_asked_for() -> None:
    assert "secret" not in comment.render_comment(judged(**flips(flipped())))
    assert "`secret`" in comment.render_comment(judged(**flips(flipped(excerpt="secret"))))


def test_a_comment_fits_where_it_is_posted_however_much_changed() -> None:
    many = [f"src/{'x' * 70}/{number}.py" for number in range(5000)]
    account = judged(
        params=[{"name": name, "before": "y" * 500, "after": "z" * 500} for name in many], judges=many,
        lock=staleness.Staleness(inputs=many, outputs=many), notes=["n" * 1000] * 10,
        **flips(*(flipped(file=name) for name in many)),
    )  # fmt: skip
    account.difference["code"] = [{"path": name, "stages": ["train"]} for name in many]
    assert len(comment.render_comment(account)) < 60_000


def record(check: str = "classes.rows", **more: Any) -> dict[str, Any]:
    rows = [{"file": "n.csv", "line": 9, "label": "weather"}]
    record = {
        "check": check,
        "severity": "critical",
        "what": "class 'weather' has 4",
        "cure": "Add some.",
        "rows": rows,
    }
    return record | more


def test_a_broken_corpus_names_what_broke_its_rows_and_what_to_do() -> None:
    breach = Breach([record()], 2, 0.5, 0.01, [{"file": "n.csv", "line": 3, "reason": "no"}])
    text = comment.render_comment(Review(3, "a" * 40, breach=breach))
    assert text.startswith("## ❌ The corpus breaks its contract")
    assert "| `critical` | class 'weather' has 4 | `n.csv, line 9` | Add some. |" in unpadded(text)
    assert "| `n.csv` | 3 | `no` |" in unpadded(text)


def test_rows_in_quarantine_that_are_the_cause_come_first() -> None:
    cause = record("corpus.quarantined", what="60 rows of 'weather' (not UTF-8)")
    breach = Breach([cause, record()], 60, 0.5, 0.01, [{"file": "n.csv", "line": 3, "reason": "not UTF-8"}])
    text = comment.render_comment(Review(3, "a" * 40, breach=breach))
    assert text.index("60 rows of 'weather'") < text.index("`not UTF-8`") < text.index("class 'weather' has 4")


def test_a_broken_corpus_of_any_names_makes_an_inert_comment_that_fits() -> None:
    breaches = [record(what=f"class '{HOSTILE}' in train {number}", rows=[{"file": HOSTILE, "line": 1}] * 5)
                for number in range(3000)]  # fmt: skip
    text = comment.render_comment(Review(3, "a" * 40, breach=Breach(breaches, 0, 0, 0.01, [])))
    assert len(text) < 60_000 and "2,980 more" in text
    assert not kinds(text) & {"html_inline", "link_open", "image", "em_open"}
    assert not [part for part in kinds(text) if "@everyone" in part or "\u202e" in part]


def test_a_run_that_ends_for_another_reason_gives_gazettes_own_words() -> None:
    text = [
        "Running stage 'train':",
        "gazette: section train: seed: missing",
        "  more",
        "ERROR: failed",
        "x",
    ]
    assert failure_reason(text) == "section train: seed: missing\n  more"
    text = comment.render_comment(Review(2, "a" * 40, message=failure_reason(text)))
    assert text.startswith("## ❌ Cannot be judged") and "seed: missing" in text


def test_what_a_message_quotes_of_a_raw_file_is_left_out() -> None:
    text = comment.render_comment(
        Review(3, "a" * 40, message="news.csv, line 1: NUL bytes, so no text; seen: 'a secret'")
    )
    assert "NUL bytes, so no text" in text and "secret" not in text


def test_a_base_that_git_does_not_know_ends_with_2_and_a_comment(
    dvc_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(dvc_project({}))
    done = CliRunner().invoke(ci, ["--base", "nowhere", "--comment", "comment.md"])
    assert done.exit_code == 2
    assert "git knows no revision" in done.stdout and Path("comment.md").read_text() == done.stdout


def test_a_run_that_does_not_come_to_an_end_leaves_no_verdict_of_an_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "comment.md").write_text("## ✅ Accepted\n\nJudged: 0123456ab\n")
    monkeypatch.setattr("gazette.evaluation.ci.review.review_change", lambda *_: 1 / 0)
    CliRunner().invoke(ci, ["--base", "main", "--comment", str(tmp_path / "comment.md")])
    assert (tmp_path / "comment.md").read_text() == comment.UNFINISHED


def changed(stage: str, key: str, value: Any) -> dict[str, Any]:
    lock: dict[str, Any] = copy.deepcopy(LOCK)
    lock[stage][key] = value
    return lock


def test_a_lock_of_other_params_code_or_data_is_stale() -> None:
    params = changed("train", "params", {"params.yaml": {"train": {"seed": 8}}})
    code = changed("clean", "deps", [{"path": "raw", "md5": "a"}, {"path": "src/clean.py", "md5": "other"}])
    assert staleness.compare_locks(LOCK, params).inputs == ["train.seed: 7 → 8 (train)"]
    assert staleness.compare_locks(LOCK, code).inputs == ["src/clean.py (clean)"]
    assert staleness.compare_locks({}, LOCK).inputs == ["a new stage (clean, train)"]


def test_a_lock_of_other_bytes_of_the_same_inputs_is_not_stale() -> None:
    rerun = changed("clean", "outs", [{"path": "made/clean", "md5": "other"}])
    rerun["train"]["deps"] = [{"path": "made", "md5": "other.dir"}]
    assert staleness.compare_locks(LOCK, rerun) == staleness.Staleness(outputs=["made/clean"])
    assert staleness.compare_locks(LOCK, LOCK) == staleness.Staleness()


def test_what_a_command_says_is_heard_line_by_line(tmp_path: Path) -> None:
    heard: list[str] = []
    assert (
        guard.run_command(["sh", "-c", "echo one; echo $WORD >&2; exit 3"], tmp_path, heard.append, {"WORD": "two"})
        == 3
    )
    assert heard == ["one", "two"]


def test_workflows_may_read_and_write_no_more_than_the_comment_and_the_pages() -> None:
    allowed = {
        f"{name} {scope}: {right}"
        for name, flow in WORKFLOWS.items()
        for permissions in (flow["permissions"], *(job.get("permissions", {}) for job in flow["jobs"].values()))
        for scope, right in permissions.items()
    }
    pages = {"docs.yml contents: read", "docs.yml pages: write", "docs.yml id-token: write"}
    comment = {"comment.yml actions: read", "comment.yml pull-requests: write"}
    assert allowed == {"gazette.yml contents: read"} | comment | pages
    assert "pull_request_target" not in str(WORKFLOWS) and "checkout" not in str(WORKFLOWS["comment.yml"]["jobs"])


def test_workflows_pin_their_actions_and_run_no_text_of_a_stranger() -> None:
    steps = [step for flow in WORKFLOWS.values() for job in flow["jobs"].values() for step in job["steps"]]
    assert all(re.fullmatch(r"actions/[\w-]+@(v\d+|[0-9a-f]{40})", step["uses"]) for step in steps if "uses" in step)
    assert not [step for step in steps if "${{" in step.get("run", "")]


def test_the_workflow_calls_what_a_person_calls() -> None:
    jobs = WORKFLOWS["gazette.yml"]["jobs"]
    assert [step["run"] for step in jobs["checks"]["steps"] if "run" in step] == [".ci/run"]
    assert any(step.get("run", "").startswith(".venv/bin/gazette ci --base") for step in jobs["pipeline"]["steps"])
    assert any(step.get("with", {}).get("fetch-depth") == 0 for step in jobs["pipeline"]["steps"])


GH = """\
#!/bin/sh
echo "$@" >> calls
case "$*" in
  *download*) mkdir -p box && cp told.md box/comment.md ;;
  *pulls*) cat pulls.json ;;
  *--paginate*) cat ours ;;
  *--input*) cat body.json >> posted ;;
esac
"""


@pytest.mark.skipif(not shutil.which("jq"), reason="the runner has jq, this machine has not")
@pytest.mark.parametrize(
    ("head", "ours", "call"),
    [("abc", "", "POST repos/o/r/issues/5/comments"), ("abc", "77\n", "PATCH"), ("old", "", "")],
)
def test_the_comment_is_posted_once_and_then_renewed(tmp_path: Path, head: str, ours: str, call: str) -> None:
    (step,) = WORKFLOWS["comment.yml"]["jobs"]["comment"]["steps"]
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "told.md").write_text("## ✅ Accepted\n")
    (tmp_path / "ours").write_text(ours)
    (tmp_path / "pulls.json").write_text(
        json.dumps([{"number": 4, "head": {"sha": "x"}}, {"number": 5, "head": {"sha": "abc"}}])
    )
    settings = {"RUN": "9", "GH_REPO": "o/r", "HEAD": head, "FROM": "fork:b", "PAGE": "https://ci.example.org/9"}
    environment = {**os.environ, **settings, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], cwd=tmp_path, env=environment, check=True)
    calls = (tmp_path / "calls").read_text()
    if not call:
        assert not (tmp_path / "posted").exists()
        return
    assert call in calls
    body = json.loads((tmp_path / "posted").read_text())["body"]
    assert body.startswith("<!-- gazette ci -->\n[Run 9](https://ci.example.org/9) of abc says:\n\n## ✅ Accepted")
