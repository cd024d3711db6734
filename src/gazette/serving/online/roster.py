"""Which versions answer now: a file that the parent replaces and its workers watch."""

import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gazette.core import files

FILE = "roster.json"


@dataclass(frozen=True)
class Served:
    """A version that passed the checks; `since` is when it began to answer, in UTC.

    `ledger` is the SHA-256 of the entry that made it champion, empty if none did.
    """

    name: str
    version: str
    digest: str
    ledger: str
    folder: str
    since: str = ""

    def speaker(self) -> dict[str, str]:
        """Return what every answer says of its version."""
        return {"name": self.name, "version": self.version, "digest": self.digest, "ledger": self.ledger}


@dataclass(frozen=True)
class Roster:
    """The version that answers, the one that answers aside, and what went wrong with their source.

    `unreachable_since` is when the registry stopped answering; `refused` says why a version may not answer.
    """

    main: Served
    shadow: Served | None = None
    unreachable_since: str = ""
    unreachable_reason: str = ""
    refused: dict[str, str] = field(default_factory=dict)


def write(folder: Path, roster: Roster) -> None:
    """Replace the roster, atomically."""
    files.write_json(folder / FILE, asdict(roster))


def read(folder: Path) -> Roster:
    """Read the roster."""
    record: dict[str, Any] = files.read_json(folder / FILE)
    record["main"] = Served(**record["main"])
    record["shadow"] = Served(**record["shadow"]) if record["shadow"] else None
    return Roster(**record)


def stamp(folder: Path) -> tuple[int, int]:
    """Return what changes with each replacement of the roster."""
    about = (folder / FILE).stat()
    return about.st_ino, about.st_mtime_ns


def wait(folder: Path) -> Roster:
    """Read the roster as soon as the parent, which checks the first version meanwhile, has written it."""
    parent = os.getppid()
    while not (folder / FILE).exists():
        if os.getppid() != parent or not folder.exists():  # the version may not answer, and the parent has given up
            raise SystemExit(1)
        time.sleep(0.01)
    return read(folder)
