"""The ledger is the truth about the champion, and says when it was altered."""

import hashlib
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.registry import ledger, ledger_history, listing, versions
from gazette.registry.ledger import Entry, VersionRef
from gazette.registry.store.model import RegisteredModel, RegisteredVersion

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
A, B = VersionRef("1", "aa.dir", "a" * 40), VersionRef("2", "bb.dir", "b" * 40)


def entries(*steps: tuple[str, VersionRef], name: str = "tiny") -> list[Entry]:
    result: list[Entry] = []
    for kind, to in steps:
        result.append(ledger.next_entry(result, kind, name, to, "t <t@x>", "体育", "c" * 40, {"word": "accept"}, WHEN))
    return result


THREE = entries(("promotion", A), ("override", B), ("rollback", A))
LINES = [entry.line() for entry in THREE]


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for entry in THREE:
        ledger.append_entry(entry)
    return ledger.PATH


def git(*words: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@x")
    return subprocess.run(["git", *who, *words], check=True, capture_output=True, text=True).stdout


def test_the_last_entry_of_a_name_says_who_is_champion_and_who_was() -> None:
    for number, (champion, previous) in enumerate([(A, None), (B, A), (A, B)], 1):
        last = ledger.last_entry(THREE[:number], "tiny")
        assert last and (last.to, last.origin) == (champion, previous)
        assert ledger.current_champion(THREE[:number], "tiny") == champion
    assert ledger.last_entry(THREE, "other") is ledger.current_champion(THREE, "other") is None


def test_what_was_appended_is_read_and_whole(book: Path) -> None:
    assert ledger.read_ledger() == THREE
    assert ledger.verify_chain(ledger.read_lines()) == []
    assert [entry.before for entry in THREE] == ["", THREE[0].digest(), THREE[1].digest()]


def test_a_clock_that_went_back_breaks_no_chain() -> None:
    late = ledger.next_entry(THREE, "promotion", "tiny", B, "t", "", "c" * 40, None, WHEN - timedelta(days=400))
    assert ledger.verify_chain([*LINES, late.line()]) == []
    assert ledger.last_entry([*THREE, late], "tiny") == late


def test_every_changed_bit_of_a_line_that_is_not_the_last_is_found(book: Path) -> None:
    whole = book.read_bytes()
    for place in range(0, whole.rstrip(b"\n").rindex(b"\n"), 7):
        book.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert ledger.verify_chain(ledger.read_lines()), place


@pytest.mark.parametrize("lines", [LINES[1:], LINES[::2], [LINES[1], LINES[0], LINES[2]], [*LINES, LINES[2]], [""]])
def test_lines_that_were_taken_out_or_moved_are_missed(lines: list[str]) -> None:
    assert ledger.verify_chain(lines)


def test_an_altered_ledger_is_not_read(book: Path) -> None:
    book.write_text(book.read_text().replace("override", "promotion"))
    with pytest.raises(DataContractError, match="line 3: names the SHA-256"):
        ledger.read_ledger()


def test_an_entry_for_another_end_is_not_appended(book: Path) -> None:
    with pytest.raises(ConfigError, match="has grown meanwhile"):
        ledger.append_entry(THREE[2])


def test_an_entry_is_appended_only_with_the_next_number_and_the_digest_of_the_last_line(book: Path) -> None:
    fourth = ledger.next_entry(THREE, "promotion", "tiny", B, "t <t@x>", "better", "c" * 40)
    for wrong in ({"number": 3}, {"number": 5}, {"before": THREE[1].digest()}, {"before": ""}):
        with pytest.raises(ConfigError, match=r"ledger\.jsonl has grown meanwhile"):
            ledger.append_entry(replace(fourth, **wrong))
    assert ledger.read_ledger() == THREE
    ledger.append_entry(fourth)
    assert ledger.read_ledger() == [*THREE, fourth]
    with pytest.raises(ConfigError, match="has grown meanwhile"):
        ledger.append_entry(THREE[1], Path("empty.jsonl"))


def test_an_entry_names_its_time_and_the_champion_that_its_own_name_had() -> None:
    began = datetime.now(UTC)
    entry = ledger.next_entry(THREE, "promotion", "far", B, "t <t@x>", "first", "c" * 40)
    assert began - timedelta(seconds=1) <= datetime.fromisoformat(entry.when) <= datetime.now(UTC)
    assert len(entry.when) == len("2026-03-01T12:00:00+00:00")
    assert (entry.number, entry.origin, entry.verdict, entry.before) == (4, None, None, THREE[2].digest())
    assert ledger.next_entry([*THREE, entry], "rollback", "tiny", B, "t", "worse", "c" * 40).origin == A


def test_every_breach_of_the_chain_is_named_with_its_line() -> None:
    nonsense = hashlib.sha256(b"nonsense").hexdigest()
    assert ledger.verify_chain([LINES[0], "nonsense", LINES[2]]) == [
        "line 2: not an entry",
        f"line 3: names the SHA-256 {THREE[1].digest()} for the line before, which has {nonsense}",
        "line 3: does not start from the champion that tiny had",
    ]
    renumbered = replace(THREE[1], number=7)
    assert ledger.verify_chain([LINES[0], renumbered.line(), LINES[2]]) == [
        "line 2: is numbered 7",
        f"line 3: names the SHA-256 {THREE[1].digest()} for the line before, which has {renumbered.digest()}",
    ]
    assert ledger.verify_chain([LINES[0].replace('", "', '",  "')]) == ["line 1: not in canonical form"]
    assert ledger.verify_chain(['{"from": null, "to": 1}', "[]", "7", "\udcff"]) == [
        f"line {number}: not an entry" for number in (1, 2, 3, 4)
    ]
    assert ledger.verify_chain([LINES[0].replace("体", "\udcff")]) == ["line 1: not an entry"]  # not UTF-8


def test_an_entry_with_what_json_does_not_have_is_no_line() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        replace(THREE[0], verdict={"ece": float("nan")}).line()


def test_a_ledger_is_on_the_disk_before_it_takes_the_place_of_the_old_one(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
    before = book.stat().st_size
    fourth = ledger.next_entry(THREE, "promotion", "tiny", B, "t <t@x>", "better", "c" * 40)
    ledger.append_entry(fourth)
    assert synced[0] == book.stat().st_size == before + len(fourth.line().encode()) + 1


def test_a_ledger_is_read_as_it_lies_with_and_without_a_last_line_break(book: Path) -> None:
    book.write_bytes(book.read_bytes().rstrip(b"\n"))
    assert ledger.read_ledger() == THREE
    book.write_bytes(b"")
    assert ledger.read_lines() == []
    book.write_bytes(b"\xff\n\n")
    assert ledger.read_lines() == ["\udcff", ""]
    book.unlink()
    assert ledger.read_ledger() == []


def test_git_finds_a_last_line_that_was_altered_and_a_chain_that_was_written_anew(book: Path) -> None:
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "three")
    assert ledger_history.rewritten_commits() == []
    assert ledger_history.count_uncommitted() == 0
    anew = entries(("promotion", A), ("override", B), ("rollback", A), ("promotion", B))
    ledger.append_entry(anew[3])
    assert (ledger_history.rewritten_commits(), ledger_history.count_uncommitted()) == ([], 1)
    git("commit", "-qam", "four")
    assert (ledger_history.rewritten_commits(), ledger_history.count_uncommitted()) == ([], 0)
    book.write_text(book.read_text().replace("t@x", "u@x"))
    assert ledger_history.rewritten_commits() == ["ledger.jsonl: committed lines were changed since"]
    git("commit", "-qam", "anew")
    commits = [line.split()[0] for line in git("log", "--format=%h", "--abbrev=9").splitlines()]
    assert ledger_history.rewritten_commits() == [
        f"commit {commits[0]}: changed lines of ledger.jsonl that {commits[1]} had"
    ]
    book.unlink()
    assert ledger_history.rewritten_commits()[1:] == ["ledger.jsonl: committed lines were changed since"]


@pytest.mark.parametrize(
    ("aliases", "followed", "faults"),
    [
        ({"champion": "1", "previous": "2"}, THREE[-1], []),
        ({"champion": "2", "previous": "2"}, THREE[-1], ["tiny@champion names version 2 in the registry"]),
        ({"champion": "1"}, THREE[-1], ["tiny@previous names no version in the registry, and by the ledger version 2"]),
        ({}, THREE[-2], []),  # a clone that has not followed the last entry yet
    ],
)
def test_an_alias_that_was_moved_by_hand_is_named(
    monkeypatch: pytest.MonkeyPatch, aliases: dict[str, str], followed: Entry, faults: list[str]
) -> None:
    registered = {
        place.version: RegisteredVersion("tiny", place.version, place.digest, [], {}, "run") for place in (A, B)
    }
    monkeypatch.setattr(versions, "get_model", lambda _: RegisteredModel(registered, aliases, followed.digest()))
    moved = listing.list_moved_aliases(THREE)
    assert len(moved) == len(faults) and all(map(str.startswith, moved, faults))
