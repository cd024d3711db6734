"""The ledger is the truth about the champion, and says when it was altered."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gazette.core.errors import BrokenContract, Misconfigured
from gazette.registry import ledger
from gazette.registry.ledger import Entry, Place

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
A, B = Place("1", "aa.dir", "a" * 40), Place("2", "bb.dir", "b" * 40)


def entries(*steps: tuple[str, Place], name: str = "tiny") -> list[Entry]:
    found: list[Entry] = []
    for kind, to in steps:
        found.append(ledger.next_entry(found, kind, name, to, "t <t@x>", "体育", "c" * 40, {"word": "accept"}, WHEN))
    return found


THREE = entries(("promotion", A), ("override", B), ("rollback", A))
LINES = [entry.line() for entry in THREE]


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for entry in THREE:
        ledger.append(entry)
    return ledger.PATH


def git(*words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@x")
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


def test_the_last_entry_of_a_name_says_who_is_champion_and_who_was() -> None:
    assert ledger.standing(THREE, "tiny") == ledger.Standing(champion=A, previous=B)
    assert ledger.standing(THREE[:1], "tiny") == ledger.Standing(champion=A, previous=None)
    assert ledger.standing(THREE, "other") == ledger.Standing(None, None)


def test_what_was_appended_is_read_and_whole(book: Path) -> None:
    assert ledger.read() == THREE
    assert ledger.verify(ledger.lines()) == []
    assert [entry.before for entry in THREE] == ["", THREE[0].digest(), THREE[1].digest()]


def test_every_changed_bit_of_a_line_that_is_not_the_last_is_found(book: Path) -> None:
    whole = book.read_bytes()
    for place in range(0, whole.rstrip(b"\n").rindex(b"\n"), 7):
        book.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert ledger.verify(ledger.lines()), place


@pytest.mark.parametrize("kept", [LINES[1:], LINES[::2], [LINES[1], LINES[0], LINES[2]], [*LINES, LINES[2]], [""]])
def test_lines_that_were_taken_out_or_moved_are_missed(kept: list[str]) -> None:
    assert ledger.verify(kept)


def test_an_altered_ledger_is_not_read(book: Path) -> None:
    book.write_text(book.read_text().replace("override", "promotion"))
    with pytest.raises(BrokenContract, match="line 3: says that the line before has the SHA-256"):
        ledger.read()


def test_an_entry_for_another_end_is_not_appended(book: Path) -> None:
    with pytest.raises(Misconfigured, match="has grown meanwhile"):
        ledger.append(THREE[2])


def test_git_finds_a_last_line_that_was_altered_and_a_chain_that_was_written_anew(book: Path) -> None:
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "three")
    assert ledger.rewritten() == []
    assert ledger.uncommitted() == 0
    anew = entries(("promotion", A), ("override", B), ("rollback", A), ("promotion", B))
    ledger.append(anew[3])
    assert (ledger.rewritten(), ledger.uncommitted()) == ([], 1)
    book.write_text(book.read_text().replace("t@x", "u@x"))
    assert ledger.rewritten() == ["ledger.jsonl: lines that were committed were changed since"]
    git("commit", "-qam", "anew")
    assert "lines of ledger.jsonl that" in ledger.rewritten()[0]
