"""What happened before a decision, by the ledger and by the notes of earlier runs of the flow `watch`.

A note is written before something begins that has to be finished after a kill, or after something is done once.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from prefect_dvc.core import atomic
from pydantic import BaseModel

from gazette.monitoring.policy import History
from gazette.pipeline import state
from gazette.registry import ledger

FOLDER = "watch"


class Candidate(BaseModel, frozen=True):
    """A challenger by its digest: when it was first seen, and its last verdict, at a commit against a champion.

    `why` is why that is no acceptance, `topic` what a person was told of last.
    """

    digest: str
    since: datetime
    commit: str = ""
    against: str = ""
    word: str = ""
    why: str = ""
    topic: str = ""


class Notes(BaseModel, frozen=True):
    """When labels were asked for, and when a training ended, with `_since` when one began that has not; None: never."""

    asking_since: datetime | None = None
    asked_at: datetime | None = None
    alarm_asked_at: datetime | None = None
    training_since: datetime | None = None
    trained_at: datetime | None = None
    candidate: Candidate | None = None


def read_notes(root: Path, name: str) -> Notes:
    """Return the notes on a corpus; empty ones if there are none."""
    path = _path(root, name)
    return Notes.model_validate_json(path.read_bytes()) if path.exists() else Notes()


def write_notes(root: Path, name: str, **changes: Any) -> Notes:
    """Change some of the notes on a corpus, atomically, and return all of them."""
    notes = read_notes(root, name).model_copy(update=changes)
    state.state_folder(root)
    atomic.write_text(_path(root, name), notes.model_dump_json(indent=2) + "\n")
    return notes


def update_candidate(root: Path, name: str, **changes: Any) -> None:
    """Change some of the notes on the challenger of a corpus."""
    candidate = read_notes(root, name).candidate
    if candidate is not None:
        write_notes(root, name, candidate=candidate.model_copy(update=changes))


def read_history(root: Path, name: str) -> History | None:
    """Return what happened to a corpus's champion, without the challenger; None if it has none."""
    entries = ledger.read_ledger(root / ledger.PATH)
    last = ledger.last_entry(entries, name)
    if last is None:
        return None
    suppressed, notes = ledger.suppressed(entries, name), read_notes(root, name)
    origin = last.origin if last.kind != ledger.ROLLBACK else None
    return History(
        champion_since=datetime.fromisoformat(last.when),
        can_roll_back=origin is not None and origin.digest not in suppressed,
        trained_at=notes.trained_at,
        interrupted_at=notes.training_since,
        asked_at=notes.asked_at,
        alarm_asked_at=notes.alarm_asked_at,
        suppressed=frozenset(suppressed),
    )


def _path(root: Path, name: str) -> Path:
    return root / ".gazette" / FOLDER / f"{name}.json"
