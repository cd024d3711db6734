"""Promotion and rollback on a registry in memory: what a failure leaves is finished by the next call."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from prefect_dvc.core.errors import ConfigError
from registries import Registry

from gazette.registry import aliases, ledger, promotion, resolve, versions
from gazette.registry.promotion import Decision, PromotionResult
from gazette.registry.store import client, retry
from gazette.registry.store.model import RegisteredModel
from gazette.registry.verdict import FAIL, Finding, Verdict
from gazette.registry.versions import ResolvedModel

WHO = Decision("t <t@x>", "because")


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Versions 1, 2 and 3 of `tiny` in a project; the first is champion."""
    monkeypatch.chdir(tmp_path)
    git = "git init -q && git -c user.name=t -c user.email=t@x commit -q --allow-empty -m start"
    subprocess.run(git, shell=True, check=True)
    registry = Registry("one.dir", "two.dir", "three.dir")
    monkeypatch.setattr(client, "connect", lambda: registry)
    monkeypatch.setattr(retry, "RETRY_SECONDS", 0)
    monkeypatch.setattr(retry, "PAUSE", 0)
    monkeypatch.setattr(versions, "require_registry", lambda reference: None)
    monkeypatch.setattr(versions, "find_model", lambda reference: model(reference, registry))
    monkeypatch.setattr(resolve, "list_revisions", lambda digest: ["r" * 40])
    promote("1")
    registry.moves.clear()
    return registry


def model(reference: str, remote: Registry) -> ResolvedModel:
    number = reference.rpartition("/")[2]
    return ResolvedModel(reference, Path(number), remote.versions[number].tags["digest"], "tiny", number)


def saying(word: str) -> Callable[[Path], Verdict]:
    digests = {"1": "one.dir", "2": "two.dir", "3": "three.dir"}
    return lambda folder: Verdict(word, digests[folder.name], "c" * 40, "tiny", None, [], {})


def promote(number: str, word: str = "accept", decision: Decision = WHO, outcome: str = "pass") -> PromotionResult:
    findings = [Finding("known articles", outcome, 0.0, 0.0)]
    return promotion.promote("tiny", number, decision, saying(word), lambda *_: findings)


def kinds() -> list[str]:
    return [entry.kind for entry in ledger.read_ledger()]


def test_a_promotion_is_in_the_ledger_and_moves_each_alias_once(remote: Registry) -> None:
    assert promote("2").is_new
    last = ledger.read_ledger()[-1]
    assert (last.origin and last.origin.version, last.to.version, last.reason) == ("1", "2", "because")
    assert last.verdict and last.verdict["word"] == "accept" and last.verdict["smoke_test"]
    assert remote.moves == [("previous", "1"), ("champion", "2")]
    assert remote.versions["2"].tags["revision"] == "r" * 40
    assert remote.tags["ledger"] == last.digest()


@pytest.mark.parametrize("word", ["reject", "inconclusive"])
def test_what_the_gate_does_not_accept_changes_nothing(remote: Registry, word: str) -> None:
    with pytest.raises(promotion.RejectedError, match=f"the gate says {word}"):
        promote("2", word)
    assert (kinds(), remote.moves) == (["promotion"], [])


def test_an_override_is_recorded_as_one_and_only_where_it_was_needed(remote: Registry) -> None:
    promote("2", "reject", Decision("t", "", "looked at by hand"))
    promote("3", "accept", Decision("t", "", "just in case"))
    assert kinds() == ["promotion", "override", "promotion"]
    assert ledger.read_ledger()[1].reason == "looked at by hand"


def test_an_override_does_not_skip_the_smoke_test(remote: Registry) -> None:
    with pytest.raises(promotion.RejectedError, match="fails the smoke test"):
        promote("2", "reject", Decision("t", "", "looked at by hand"), FAIL)
    assert remote.moves == []


def test_a_version_without_a_revision_is_not_promoted(remote: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "list_revisions", lambda digest: [])
    with pytest.raises(ConfigError, match="tiny/2 has no revision"):
        promote("2")
    assert remote.moves == []


def test_the_champion_is_not_promoted_again(remote: Registry) -> None:
    assert not promote("1").is_new
    assert (kinds(), remote.moves) == (["promotion"], [])


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", ["follow", "mark", "previous", "champion"])
def test_a_promotion_that_failed_half_way_is_finished_by_the_same_command(
    remote: Registry, where: str, done: bool
) -> None:
    remote.fails = (where, done)
    with pytest.raises(ConfigError, match="the same command finishes the job"):
        promote("2")
    remote.fails = None
    assert not promote("2").is_new
    assert (kinds(), remote.aliases) == (["promotion"] * 2, {"champion": "2", "previous": "1"})
    assert remote.moves == [("previous", "1"), ("champion", "2")]


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", ["follow", "mark", "previous", "champion"])
def test_a_rollback_that_failed_half_way_is_finished_and_not_undone(remote: Registry, where: str, done: bool) -> None:
    promote("2")
    remote.moves.clear()
    remote.fails = (where, done)
    with pytest.raises(ConfigError):
        promotion.roll_back("tiny", WHO)
    remote.fails = None
    assert not promotion.roll_back("tiny", WHO).is_new
    assert (kinds()[-1], remote.aliases) == ("rollback", {"champion": "1", "previous": "2"})
    assert len(remote.moves) == 2


@pytest.mark.parametrize("where", ["follow", "mark", "previous", "champion"])
def test_a_promotion_that_failed_half_way_is_finished_without_another_one(remote: Registry, where: str) -> None:
    remote.fails = (where, False)
    with pytest.raises(ConfigError):
        promote("2")
    remote.fails = None
    assert promotion.finish("tiny")[0].startswith("finished: the promotion of")
    assert (kinds(), remote.aliases) == (["promotion"] * 2, {"champion": "2", "previous": "1"})
    assert promotion.finish("tiny") == []


def test_a_registry_that_is_down_at_first_changes_nothing(remote: Registry) -> None:
    remote.fails = ("get", False)
    with pytest.raises(ConfigError, match=r"the registry at .* failed"):
        promote("2")
    assert len(ledger.read_lines()) == 1


def test_a_half_done_promotion_is_undone_by_a_rollback(remote: Registry) -> None:
    remote.fails = ("champion", False)
    with pytest.raises(ConfigError):
        promote("2")
    remote.fails = None
    promotion.roll_back("tiny", WHO)
    assert (kinds(), remote.aliases["champion"]) == (["promotion", "promotion", "rollback"], "1")


def test_two_rollbacks_end_where_they_began(remote: Registry) -> None:
    promote("2")
    assert [promotion.roll_back("tiny", WHO).entry.to.version for _ in range(2)] == ["1", "2"]


def test_what_was_rolled_back_is_promoted_again_only_by_an_override_that_is_recorded(remote: Registry) -> None:
    promote("2")
    promotion.roll_back("tiny", Decision("watch", "12 errors in 30 answers"))
    with pytest.raises(
        promotion.RejectedError, match=r"watch rolled it back on .*: 12 errors in 30 answers\n--override"
    ):
        promote("2")
    assert (len(kinds()), remote.aliases["champion"]) == (3, "1")
    promote("2", "accept", Decision("t", "", "the labels were wrong"))
    assert (kinds()[-1], remote.aliases["champion"]) == ("override", "2")
    promote("3")
    assert promote("2").is_new  # champion once more since the rollback


def test_only_the_digests_of_a_name_that_a_rollback_left_are_suppressed(remote: Registry) -> None:
    promote("2")
    assert ledger.suppressed(ledger.read_ledger(), "tiny") == {}
    promotion.roll_back("tiny", WHO)
    assert list(ledger.suppressed(ledger.read_ledger(), "tiny")) == ["two.dir"]
    promotion.roll_back("tiny", WHO)  # a person may change their mind
    assert list(ledger.suppressed(ledger.read_ledger(), "tiny")) == ["one.dir"]
    assert ledger.suppressed(ledger.read_ledger(), "news") == {}


def test_the_first_champion_has_nothing_to_go_back_to(remote: Registry) -> None:
    with pytest.raises(ConfigError, match="nothing to go back to"):
        promotion.roll_back("tiny", WHO)


def test_aliases_that_were_moved_by_hand_follow_the_ledger_again(remote: Registry) -> None:
    remote.aliases = {"champion": "3", "previous": "2", "challenger": "3"}
    moved = aliases.sync(remote, "tiny", ledger.read_ledger())
    assert remote.aliases == {"champion": "1", "challenger": "3"}
    assert [(move.alias, move.to) for move in moved] == [("previous", None), ("champion", "1")]
    assert aliases.sync(remote, "tiny", ledger.read_ledger()) == []


def test_a_ledger_that_is_behind_moves_nothing(remote: Registry) -> None:
    before = ledger.PATH.read_bytes()
    promote("2")
    ledger.PATH.write_bytes(before)  # another clone, which has not pulled
    with pytest.raises(ConfigError, match="another clone has promoted"):
        promote("3")
    assert remote.aliases["champion"] == "2"
    aliases.sync(remote, "tiny", ledger.read_ledger(), force=True)
    assert remote.aliases["champion"] == "1"


def test_a_champion_that_this_registry_lacks_moves_no_alias_and_is_named(remote: Registry) -> None:
    known = RegisteredModel({}, {"champion": "9"})
    assert aliases.plan_moves(ledger.last_entry(ledger.read_ledger(), "tiny"), known) == []
    assert "git checkout rrrrrrrrr && gazette run" in aliases.missing_champion_hint("tiny", ledger.read_ledger(), known)


@pytest.mark.parametrize(
    ("reference", "name"),
    [("7", "tiny/7"), ("challenger", "tiny@challenger"), ("tiny/7", "tiny/7"), ("tiny@x", "tiny@x")],
)
def test_a_number_and_an_alias_are_of_the_corpus(reference: str, name: str) -> None:
    assert promotion.qualified_name(reference, "tiny") == name
