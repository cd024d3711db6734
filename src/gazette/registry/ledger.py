"""The ledger: one JSON line per promotion, override and rollback, each with the SHA-256 of the line before.

It is the source of truth about which version is champion; the registry's aliases are derived from it. A version is
identified by the digest of its bundle, since its number differs from registry to registry.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError, DataContractError

PATH = Path("ledger.jsonl")
PROMOTION, OVERRIDE, ROLLBACK = "promotion", "override", "rollback"


@dataclass(frozen=True)
class VersionRef:
    """A version: its number in the registry that promoted it, the digest of its bundle, and its revision."""

    version: str
    digest: str
    revision: str


@dataclass(frozen=True)
class Entry:
    """A line: which version became champion of `name` (`to`) in place of which (`origin`, None at first), and why.

    `revision` is the commit at which it was decided, `verdict` that of the gate (None in a rollback), `before` the
    SHA-256 of the line before, empty in the first.
    """

    number: int
    kind: str
    name: str
    when: str
    who: str
    origin: VersionRef | None
    to: VersionRef
    verdict: dict[str, Any] | None
    reason: str
    revision: str
    before: str

    def record(self) -> dict[str, Any]:
        """Return the entry for JSON, in which `origin` is named `from`."""
        return {"from" if key == "origin" else key: value for key, value in asdict(self).items()}

    def line(self) -> str:
        """Return the line in the ledger, without the line break."""
        return json.dumps(self.record(), ensure_ascii=False, allow_nan=False)

    def digest(self) -> str:
        """Return the SHA-256 of its line, by which the next entry and the registry refer to it."""
        return _sha256(self.line())


def read_ledger(path: Path = PATH) -> list[Entry]:
    """Return the entries of the ledger, none if there is no file; raises DataContractError if it was altered."""
    return parse_entries(
        read_lines(path), str(path), f"`git log -p {path}` shows by whom, `git restore {path}` undoes it"
    )


def parse_entries(lines: Sequence[str], where: str, cure: str) -> list[Entry]:
    """Return the entries of the lines of a ledger; raises DataContractError with the cure if they were altered."""
    if errors := verify_chain(lines):
        listed = "\n".join(f"  {error}" for error in errors)
        raise DataContractError(f"{where} was altered:\n{listed}\n{cure}")
    return [_parse_entry(line) for line in lines]


def next_entry(
    entries: Sequence[Entry],
    kind: str,
    name: str,
    to: VersionRef,
    who: str,
    reason: str,
    revision: str,
    verdict: dict[str, Any] | None = None,
    when: datetime | None = None,
) -> Entry:
    """Return the entry to append to a ledger; `when` is now by default."""
    return Entry(
        number=len(entries) + 1,
        kind=kind,
        name=name,
        when=(when or datetime.now(UTC)).isoformat(timespec="seconds"),
        who=who,
        origin=current_champion(entries, name),
        to=to,
        verdict=verdict,
        reason=reason,
        revision=revision,
        before=entries[-1].digest() if entries else "",
    )


def append_entry(entry: Entry, path: Path = PATH) -> None:
    """Append an entry to the ledger atomically; raises ConfigError if another entry was appended first."""
    lines = read_lines(path)
    if entry.number != len(lines) + 1 or entry.before != (_sha256(lines[-1]) if lines else ""):
        raise ConfigError(f"{path} has grown meanwhile; run the same command again")
    write_lines([*lines, entry.line()], path)


def write_lines(lines: Sequence[str], path: Path = PATH) -> None:
    """Write the lines of a ledger atomically, and to the disk."""
    with atomic.atomic_path(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())


def current_champion(entries: Sequence[Entry], name: str) -> VersionRef | None:
    """Return the version of a name that is champion; None if it has no entry."""
    last = last_entry(entries, name)
    return last.to if last else None


def last_entry(entries: Sequence[Entry], name: str) -> Entry | None:
    """Return the last entry of a name; None if it has none."""
    return next((entry for entry in reversed(entries) if entry.name == name), None)


def suppressed(entries: Sequence[Entry], name: str) -> dict[str, Entry]:
    """Return the digests of a name that a rollback left and that have not been champion since, with that rollback."""
    rollbacks: dict[str, Entry] = {}
    for entry in entries:
        if entry.name == name:
            rollbacks.pop(entry.to.digest, None)
            if entry.kind == ROLLBACK and entry.origin:
                rollbacks[entry.origin.digest] = entry
    return rollbacks


def verify_chain(lines: Sequence[str]) -> list[str]:
    """Return what is wrong with the lines of a ledger, with line numbers; empty if the chain is intact."""
    errors: list[str] = []
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        before = _sha256(lines[number - 2]) if number > 1 else ""
        try:
            entry = _parse_entry(line)
        except (ValueError, TypeError, KeyError):
            errors.append(f"line {number}: not an entry")
            continue
        champion = current_champion(entries, entry.name)
        entries.append(entry)
        if entry.line() != line:
            errors.append(f"line {number}: not in canonical form")
        if entry.before != before:
            errors.append(f"line {number}: names the SHA-256 {entry.before} for the line before, which has {before}")
        if entry.number != number:
            errors.append(f"line {number}: is numbered {entry.number}")
        if entry.origin != champion:
            errors.append(f"line {number}: does not start from the champion that {entry.name} had")
    return errors


def read_lines(path: Path = PATH) -> list[str]:
    """Return the lines of the ledger as they are, none if there is no file."""
    text = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else ""
    return text.removesuffix("\n").split("\n") if text else []


def _parse_entry(line: str) -> Entry:
    line.encode("utf-8")  # raises if the line is not UTF-8
    record = json.loads(line)
    origin, to = record["from"], record["to"]
    others = {key: value for key, value in record.items() if key not in ("from", "to")}
    return Entry(origin=VersionRef(**origin) if origin else None, to=VersionRef(**to), **others)


def _sha256(line: str) -> str:
    return hashlib.sha256(line.encode("utf-8", "surrogateescape")).hexdigest()
