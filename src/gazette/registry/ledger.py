"""The ledger: one JSON line per promotion, override and rollback, each with the SHA-256 of the line before.

It is the truth about which version is champion; the registry's aliases are derived from it. A version is known by the
digest of its bundle, for its number differs from registry to registry.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gazette.core import atomic
from gazette.core.errors import BrokenContract, Misconfigured
from gazette.pipeline import git

PATH = Path("ledger.jsonl")
PROMOTION, OVERRIDE, ROLLBACK = "promotion", "override", "rollback"
KEYS = ("number", "kind", "name", "when", "who", "from", "to", "verdict", "reason", "revision", "before")


@dataclass(frozen=True)
class Place:
    """A version: its number where it was promoted, the digest of its bundle, and its revision."""

    version: str
    digest: str
    revision: str

    def record(self) -> dict[str, str]:
        """As JSON."""
        return {"version": self.version, "digest": self.digest, "revision": self.revision}


@dataclass(frozen=True)
class Entry:
    """A line: what became champion of `name` (`to`) instead of what (`origin`, none the first time), and why.

    `revision` is the commit at which it was decided, `verdict` what the gate said (none in a rollback), `before` the
    SHA-256 of the line before, empty in the first.
    """

    number: int
    kind: str
    name: str
    when: str
    who: str
    origin: Place | None
    to: Place
    verdict: dict[str, Any] | None
    reason: str
    revision: str
    before: str

    def record(self) -> dict[str, Any]:
        """As JSON."""
        origin = self.origin.record() if self.origin else None
        values = (self.number, self.kind, self.name, self.when, self.who, origin, self.to.record())
        return dict(zip(KEYS, (*values, self.verdict, self.reason, self.revision, self.before), strict=True))

    def line(self) -> str:
        """As it stands in the ledger, without the line break."""
        return json.dumps(self.record(), ensure_ascii=False, allow_nan=False)

    def digest(self) -> str:
        """The SHA-256 of its line, by which the next one and the registry know it."""
        return _sha256(self.line())


@dataclass(frozen=True)
class Standing:
    """Which version of a name is champion by the ledger, and which was before."""

    champion: Place | None
    previous: Place | None


def read(path: Path = PATH) -> list[Entry]:
    """The entries of the ledger, none where there is no file; raises BrokenContract where it was altered."""
    found = lines(path)
    if wrong := verify(found):
        said = "\n".join(f"  {one}" for one in wrong)
        raise BrokenContract(f"{path} was altered:\n{said}\n`git log -p {path}` shows by whom, `git restore` undoes it")
    return [_entry(line) for line in found]


def next_entry(
    entries: Sequence[Entry],
    kind: str,
    name: str,
    to: Place,
    who: str,
    reason: str,
    revision: str,
    verdict: dict[str, Any] | None = None,
    when: datetime | None = None,
) -> Entry:
    """What is to be appended to a ledger; `when` is now unless given."""
    return Entry(
        number=len(entries) + 1,
        kind=kind,
        name=name,
        when=(when or datetime.now(UTC)).isoformat(timespec="seconds"),
        who=who,
        origin=standing(entries, name).champion,
        to=to,
        verdict=verdict,
        reason=reason,
        revision=revision,
        before=entries[-1].digest() if entries else "",
    )


def append(entry: Entry, path: Path = PATH) -> None:
    """Writes an entry at the ledger's end, whole or not at all; raises Misconfigured where another came first."""
    found = lines(path)
    if entry.number != len(found) + 1 or entry.before != (_sha256(found[-1]) if found else ""):
        raise Misconfigured(f"{path} has grown meanwhile; run the same command again")
    with atomic.written(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\n" for line in [*found, entry.line()])
        file.flush()
        os.fsync(file.fileno())


def standing(entries: Sequence[Entry], name: str) -> Standing:
    """Champion and previous version of a name; none where it has no entry."""
    newest = last(entries, name)
    return Standing(newest.to, newest.origin) if newest else Standing(None, None)


def last(entries: Sequence[Entry], name: str) -> Entry | None:
    """The last entry of a name; none where it has none."""
    return next((entry for entry in reversed(entries) if entry.name == name), None)


def verify(found: Sequence[str]) -> list[str]:
    """What is wrong with the lines of a ledger, each with its number; nothing where the chain is whole."""
    wrong: list[str] = []
    entries: list[Entry] = []
    for number, line in enumerate(found, 1):
        before = _sha256(found[number - 2]) if number > 1 else ""
        try:
            entry = _entry(line)
        except (ValueError, TypeError, KeyError):
            wrong.append(f"line {number}: not an entry")
            continue
        champion = standing(entries, entry.name).champion
        entries.append(entry)
        if entry.line() != line:
            wrong.append(f"line {number}: not as an entry is written")
        if entry.before != before:
            wrong.append(f"line {number}: says that the line before has the SHA-256 {entry.before}, it has {before}")
        if entry.number != number:
            wrong.append(f"line {number}: says that it is number {entry.number}")
        if entry.origin != champion:
            wrong.append(f"line {number}: does not begin where the entry before of {entry.name} ended")
    return wrong


def rewritten(path: Path = PATH) -> list[str]:
    """Commits and files in which the ledger is not the one before with lines added; git knows what the chain cannot."""
    wrong = []
    for commit in git.history(str(path), "HEAD"):
        for parent in git.said("show", "--no-patch", "--format=%P", commit).split():
            if not git.content(commit, str(path)).startswith(git.content(parent, str(path))):
                wrong.append(f"commit {commit[:9]}: lines of {path} that {parent[:9]} had were changed")
    here = path.read_bytes() if path.exists() else b""
    if not here.startswith(git.content("HEAD", str(path))):
        wrong.append(f"{path}: lines that were committed were changed since")
    return wrong


def uncommitted(path: Path = PATH) -> int:
    """How many lines of the ledger are in no commit yet."""
    return len(lines(path)) - git.content("HEAD", str(path)).count(b"\n")


def lines(path: Path = PATH) -> list[str]:
    """The lines of the ledger as they are, none where there is no file."""
    text = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else ""
    return text.removesuffix("\n").split("\n") if text else []


def _entry(line: str) -> Entry:
    line.encode("utf-8")  # refuses bytes that are no text
    record = json.loads(line)
    if tuple(record) != KEYS:
        raise ValueError(f"an entry has {', '.join(KEYS)}")
    origin = Place(**record["from"]) if record["from"] else None
    others = {key: record[key] for key in KEYS if key not in ("from", "to")}
    return Entry(origin=origin, to=Place(**record["to"]), **others)


def _sha256(line: str) -> str:
    return hashlib.sha256(line.encode("utf-8", "surrogateescape")).hexdigest()
