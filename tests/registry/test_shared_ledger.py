"""Promotions from two clones with a registry in common: git's server decides which was first."""

import subprocess
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest
from prefect_dvc import git
from prefect_dvc.core.errors import ConfigError, DataContractError
from registries import Registry

from gazette.registry import ledger, promotion, resolve, shared_ledger, versions
from gazette.registry.promotion import Decision, PromotionResult
from gazette.registry.shared_ledger import LostError
from gazette.registry.store import client
from gazette.registry.verdict import Verdict
from gazette.registry.versions import ResolvedModel

VERSION = ledger.VersionRef("3", "three.dir", "r" * 40)
DIGESTS = {"1": "one.dir", "2": "two.dir", "3": "three.dir"}
Clones = tuple[Path, Path]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Versions 1, 2 and 3 of `tiny` at a server."""
    registry = Registry(*DIGESTS.values())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    monkeypatch.setattr(client, "connect", lambda: registry)
    monkeypatch.setattr(
        versions, "find_model", lambda name: ResolvedModel(name, Path(name[-1]), DIGESTS[name[-1]], "tiny", name[-1])
    )
    monkeypatch.setattr(resolve, "list_revisions", lambda digest: ["r" * 40])
    return registry


@pytest.fixture
def clones(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Clones:
    """Two clones of `origin.git`; version 1 was promoted in the first."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "t")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "t@example.org")
    shell(tmp_path, "git init -q --bare -b main origin.git && git clone -q origin.git a 2>/dev/null")
    shell(tmp_path / "a", "git commit -q --allow-empty -m start && git push -q origin HEAD:main")
    shell(tmp_path, "git clone -q origin.git b")
    promote(tmp_path / "a", "1")
    registry.moves.clear()
    return tmp_path / "a", tmp_path / "b"


def shell(folder: Path, command: str) -> str:
    result = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def promote(folder: Path, number: str, meanwhile: Callable[[], object] = lambda: None) -> PromotionResult:
    """Promote in a clone; `meanwhile` happens while the gate judges."""

    def judge(bundle: Path) -> Verdict:
        meanwhile()
        return Verdict("accept", DIGESTS[bundle.name], "c" * 40, "tiny", None, [], {})

    with chdir(folder):
        return promotion.promote("tiny", number, Decision("Ada", "better"), judge, lambda *_: [])


def catch_up(folder: Path) -> None:
    with pytest.raises(LostError), chdir(folder):
        promotion.finish("tiny")


def shared(folder: Path, branch: str = "gazette/ledger") -> str:
    """Return the ledger at the remote."""
    return shell(folder.parent / "origin.git", f"git show {branch}:ledger.jsonl")


def test_an_entry_is_at_the_remote_before_an_alias_moves(clones: Clones, registry: Registry) -> None:
    registry.fails = ("follow", False)
    with pytest.raises(ConfigError):
        promote(clones[0], "2")
    assert registry.moves == []
    assert shared(clones[0]) == (clones[0] / "ledger.jsonl").read_text() and shared(clones[0]).count("\n") == 2


def test_of_two_promotions_at_once_the_second_loses_and_is_told_what_happened(
    clones: Clones, registry: Registry
) -> None:
    a, b = clones
    catch_up(b)
    with pytest.raises(
        LostError, match=r"2: promotion of tiny to version 2, .*, by Ada\n.* the same command decides anew"
    ):
        promote(b, "3", meanwhile=lambda: promote(a, "2"))
    assert registry.moves == [("previous", "1"), ("champion", "2")]
    assert (a / "ledger.jsonl").read_text() == (b / "ledger.jsonl").read_text() == shared(a)
    assert promote(b, "3").entry.origin == ledger.VersionRef("2", "two.dir", "r" * 40)


def test_the_same_decision_at_the_same_second_is_taken_once(clones: Clones) -> None:
    a, b = clones
    catch_up(b)
    with pytest.raises(LostError):
        promote(b, "2", meanwhile=lambda: promote(a, "2"))
    assert shared(a).count("\n") == 2 and not promote(b, "2").is_new


def test_of_a_promotion_and_a_rollback_at_once_the_second_loses(clones: Clones, registry: Registry) -> None:
    a, b = clones
    promote(a, "2")
    catch_up(b)

    def roll_back() -> None:
        with chdir(a):
            promotion.roll_back("tiny", Decision("Bob"))

    with pytest.raises(LostError, match="rollback of tiny to version 1"):
        promote(b, "3", meanwhile=roll_back)
    assert registry.aliases["champion"] == "1"


def test_a_clone_that_is_behind_changes_nothing_and_has_the_entries_afterwards(
    clones: Clones, registry: Registry
) -> None:
    a, b = clones
    promote(a, "2")
    registry.moves.clear()
    with pytest.raises(LostError, match="another clone decided first"):
        promote(b, "3")
    assert registry.moves == [] and (b / "ledger.jsonl").read_text() == shared(a)


def test_aliases_that_a_slow_clone_moves_late_end_where_the_last_entry_has_them(
    clones: Clones, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = clones
    append = ledger.append_entry

    def slowly(entry: ledger.Entry) -> None:
        append(entry)
        monkeypatch.setattr(ledger, "append_entry", append)
        catch_up(b)
        promote(b, "3")

    monkeypatch.setattr(ledger, "append_entry", slowly)
    promote(a, "2")
    assert registry.aliases == {"champion": "3", "previous": "2"}
    assert registry.tags["ledger"] == ledger.read_ledger(b / ledger.PATH)[-1].digest()


def test_a_push_whose_answer_was_lost_counts(clones: Clones, monkeypatch: pytest.MonkeyPatch) -> None:
    push = git.run_or_error
    monkeypatch.setattr(
        git, "run_or_error", lambda *words, **more: push(*words, **more) or ("timed out" if words[0] == "push" else "")
    )
    assert promote(clones[0], "2").is_new
    assert shared(clones[0]).count("\n") == 2


def test_a_promotion_that_was_killed_after_its_push_is_finished_by_the_next(
    clones: Clones, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(entry: ledger.Entry) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ledger, "append_entry", die)
        promote(clones[0], "2")
    assert registry.moves == []
    result = promote(clones[0], "2")
    assert not result.is_new and result.finished[0].startswith("finished: the promotion")
    assert registry.aliases["champion"] == "2" and shared(clones[0]) == (clones[0] / "ledger.jsonl").read_text()


def test_a_remote_that_refuses_the_branch_ends_the_promotion_before_anything_changed(
    clones: Clones, registry: Registry
) -> None:
    hook = clones[0].parent / "origin.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho protected >&2; exit 1\n")
    hook.chmod(0o755)
    before = (clones[0] / "ledger.jsonl").read_text()
    with pytest.raises(ConfigError, match=r"(?s)protected.*the right to push that branch"):
        promote(clones[0], "2")
    assert registry.moves == [] and (clones[0] / "ledger.jsonl").read_text() == before
    hook.unlink()
    assert promote(clones[0], "2").is_new


def test_lines_from_before_clones_agreed_are_shared_with_the_next_entry(clones: Clones) -> None:
    a, _ = clones
    shell(a.parent / "origin.git", "git update-ref -d refs/heads/gazette/ledger")
    promote(a, "2")
    assert shared(a).count("\n") == 2


def test_a_ledger_that_differs_from_the_shared_one_is_refused_with_the_line(clones: Clones) -> None:
    _, b = clones
    with chdir(b):
        ledger.append_entry(ledger.next_entry([], "promotion", "tiny", VERSION, "Bob", "", "c" * 40))
    with pytest.raises(DataContractError, match=r"ledger.jsonl, line 1: differs .*`git show origin/gazette/ledger"):
        promote(b, "3")


def test_verify_names_what_contradicts_the_shared_ledger_and_counts_what_it_has_beyond(clones: Clones) -> None:
    a, b = clones
    with chdir(b):
        assert shared_ledger.verify([]) == ([], 1)
    with chdir(a):
        lines = ledger.read_lines()
        assert shared_ledger.verify(lines) == ([], 0)
        forged = ledger.next_entry(ledger.read_ledger(), "promotion", "tiny", VERSION, "Eve", "", "c" * 40).line()
        (extra,), _ = shared_ledger.verify([*lines, forged])
        (changed,), _ = shared_ledger.verify([forged])
    assert extra.startswith("ledger.jsonl, line 2: not on the branch gazette/ledger of origin")
    assert changed.startswith("ledger.jsonl, line 1: differs from that of the branch gazette/ledger of origin")


@pytest.mark.parametrize("where", ["no remote", "own registry"])
def test_what_no_clone_shares_is_decided_here_alone(
    clones: Clones, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    a, _ = clones
    if where == "no remote":
        shell(a, "git remote remove origin")
    else:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    assert promote(a, "2").is_new
    assert shared(a).count("\n") == 1


def test_a_database_outside_the_project_is_shared(clones: Clones, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{clones[0].parent}/mlflow.db")
    promote(clones[0], "2")
    assert shared(clones[0]).count("\n") == 2


def test_a_project_in_a_subfolder_has_a_branch_of_its_own(clones: Clones, registry: Registry) -> None:
    inside = clones[1] / "news" / "a b"
    inside.mkdir(parents=True)
    registry.tags.clear()
    promote(inside, "2")
    promote(inside, "3")
    assert shared(clones[0], "gazette/news/a%20b/ledger").count("\n") == 2


def test_a_remote_that_does_not_answer_is_named(clones: Clones) -> None:
    (clones[0].parent / "origin.git").rename(clones[0].parent / "gone.git")
    with pytest.raises(ConfigError, match=r"the git remote origin of .* failed"):
        promote(clones[0], "2")
