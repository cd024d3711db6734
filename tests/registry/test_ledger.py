"""The ledger is the truth about the champion, and says when it was altered."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gazette.core.errors import ConfigError, DataContractError
from gazette.registry import ledger
from gazette.registry.ledger import Entry, VersionRef

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


def git(*words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@x")
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


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


def test_git_finds_a_last_line_that_was_altered_and_a_chain_that_was_written_anew(book: Path) -> None:
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "three")
    assert ledger.rewritten_commits() == []
    assert ledger.count_uncommitted() == 0
    anew = entries(("promotion", A), ("override", B), ("rollback", A), ("promotion", B))
    ledger.append_entry(anew[3])
    assert (ledger.rewritten_commits(), ledger.count_uncommitted()) == ([], 1)
    book.write_text(book.read_text().replace("t@x", "u@x"))
    assert ledger.rewritten_commits() == ["ledger.jsonl: committed lines were changed since"]
    git("commit", "-qam", "anew")
    assert "changed lines of ledger.jsonl that" in ledger.rewritten_commits()[0]
