"""A challenger: when it is judged anew, and how many answers it gave beside the champion."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from gazette.monitoring import challengers, history
from gazette.monitoring.policy import Challenger
from gazette.pipeline import dvclock
from gazette.registry import resolve, versions
from gazette.registry.store.model import RegisteredModel, RegisteredVersion
from gazette.registry.verdict import ACCEPT, FAIL, INCONCLUSIVE, REJECT, Finding, Verdict
from gazette.serving.journal import write
from gazette.serving.journal.records import Prediction

NOW = datetime(2026, 11, 29, 7, 30, tzinfo=UTC)
GOOD = Verdict(ACCEPT, "two.dir", "c", "news", None, [], {})
VERSION = RegisteredVersion("news", "2", "two.dir", ["challenger"], {}, "")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commits that were judged; every bundle was last selected in the commit `own`."""
    monkeypatch.setattr(challengers, "newest_commit", lambda digest, head: head)
    return []


def assess(
    root: Path, judged: list[str], head: str = "a", champion: str = "one.dir", verdict: Verdict = GOOD
) -> Challenger:
    def judge(commit: str) -> Verdict:
        judged.append(commit)
        return verdict

    challenger = challengers.assess(root, VERSION, champion, head, root / "journal", judge, NOW)
    assert challenger
    return challenger


def test_a_verdict_stands_until_the_branch_or_the_champion_is_another(tmp_path: Path, judged: list[str]) -> None:
    for head, champion in (("a", "one.dir"), ("a", "one.dir"), ("b", "one.dir"), ("b", "zero.dir")):
        assess(tmp_path, judged, head, champion)
    assert judged == ["a", "b", "b"]


def test_a_verdict_says_what_was_not_met_or_how_many_rows_are_wanted(tmp_path: Path, judged: list[str]) -> None:
    bad = replace(GOOD, word=REJECT, findings=[Finding("newest window", FAIL, -0.1, "above -0.05")])
    assert assess(tmp_path, judged, "a", verdict=bad).why == ": newest window"
    unsure = replace(GOOD, word=INCONCLUSIVE, figures={"newest": {"rows": 40, "rows_needed": 300}})
    expected = "; 40 rows in the newest window, about 300 would be enough"
    assert assess(tmp_path, judged, "b", verdict=unsure).why == expected


def test_another_challenger_is_on_probation_from_when_it_was_seen(tmp_path: Path, judged: list[str]) -> None:
    first = history.Candidate(digest="zero.dir", since=NOW - timedelta(days=9), topic="propose")
    history.write_notes(tmp_path, "news", candidate=first)
    challenger = assess(tmp_path, judged)
    assert (challenger.since, challenger.is_proposed) == (NOW, False)
    history.update_candidate(tmp_path, "news", since=NOW - timedelta(days=1))
    assert assess(tmp_path, judged).since == NOW - timedelta(days=1)


def record(hours: float, digest: str, source: str, number: int) -> Prediction:
    hour = f"{NOW + timedelta(hours=hours):%Y-%m-%dT%H}"
    return Prediction(hour, digest, f"{number}#0", "sport", [1.0, 0.0], 10, 0.0, "", 1.0, source)


def test_answers_beside_the_champion_are_counted_if_a_server_answers(tmp_path: Path) -> None:
    count = challengers.count_shadow
    assert count(tmp_path, "two.dir", NOW) is None
    write.append(tmp_path, [record(-48, "one.dir", "serve", 1), record(1, "one.dir", "score", 2)])
    assert count(tmp_path, "two.dir", NOW) is None
    write.append(tmp_path, [record(-2, "one.dir", "serve", 3)])
    assert count(tmp_path, "two.dir", NOW) == 0
    write.append(tmp_path, [record(1, digest, "shadow", 4) for digest in ("two.dir", "two.dir", "zero.dir")])
    assert count(tmp_path, "two.dir", NOW) == 2


@pytest.mark.parametrize(
    ("aliases", "excluded", "expected"),
    [
        ({"challenger": "2"}, (), VERSION),
        ({}, (), None),
        ({"challenger": "2"}, ("two.dir",), None),
    ],
)
def test_a_version_that_was_rolled_back_or_is_champion_is_no_challenger(
    monkeypatch: pytest.MonkeyPatch,
    aliases: dict[str, str],
    excluded: tuple[str, ...],
    expected: RegisteredVersion | None,
) -> None:
    monkeypatch.setattr(versions, "get_model", lambda name: RegisteredModel({"2": VERSION}, aliases))
    assert challengers.find_version("news", excluded) == expected


@pytest.mark.parametrize(
    ("selected", "commits", "expected"),
    [("two.dir", ["a", "b"], "head"), ("zero.dir", ["a", "b"], "b"), ("zero.dir", [], None)],
)
def test_a_challenger_is_judged_at_the_head_if_that_selects_it_and_never_without_a_commit(
    monkeypatch: pytest.MonkeyPatch, selected: str, commits: list[str], expected: str | None
) -> None:
    monkeypatch.setattr(dvclock, "load_or_none", lambda commit: SimpleNamespace(bundle=selected))
    monkeypatch.setattr(resolve, "list_revisions", lambda digest: commits)
    assert challengers.newest_commit("two.dir", "head") == expected
