"""Promotion and rollback: the gate, probation, the ledger, then the aliases, in this order.

What is decided is in the ledger before an alias moves. A failure after that is finished by the next call; one before it
has changed nothing.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gazette.core.errors import Misconfigured, Stop
from gazette.pipeline import git, state
from gazette.pipeline.recovery import filelock
from gazette.registry import aliases, ledger, versions
from gazette.registry.ledger import Entry, Place
from gazette.registry.store import client as registry
from gazette.registry.verdict import ACCEPT, FAIL, Finding, Verdict
from gazette.registry.versions import Model

LOCK = "promotion.lock"
BEGUN = "promotion.begun"  # the SHA-256 of an entry whose aliases have not been seen to move
ANY_FORM = ("@", "/")


class Rejected(Stop):
    """The version is not promoted; the ledger and the aliases are as they were."""

    code = 1


@dataclass(frozen=True)
class Decision:
    """Who promotes or goes back, and why; `override`, not empty, promotes what the gate does not accept."""

    who: str
    because: str = ""
    override: str = ""


@dataclass(frozen=True)
class Outcome:
    """The entry that holds now, whether it is new, and what was finished on the way."""

    entry: Entry
    is_new: bool
    finished: list[str]


@dataclass(frozen=True)
class Start:
    """What a promotion starts from: the registry, the ledger, what was finished, and whether an entry was resumed."""

    client: Any
    entries: list[Entry]
    finished: list[str]
    resumed: bool


Judge = Callable[[Path], Verdict]
Try = Callable[[Model, str], list[Finding]]
Revision = Callable[[Model], str]


def kind(word: str, override: str) -> str | None:
    """What a verdict comes to: a promotion, an override where a reason was given for one, or nothing."""
    if word == ACCEPT:
        return ledger.PROMOTION
    return ledger.OVERRIDE if override else None


def full(asked: str, name: str) -> str:
    """`7` and `challenger` as NAME/7 and NAME@challenger; other forms as they are."""
    if any(mark in asked for mark in ANY_FORM):
        return asked
    return f"{name}/{asked}" if asked.isdigit() else f"{name}@{asked}"


def promote(name: str, asked: str, decision: Decision, revision_of: Revision, judge: Judge, undergo: Try) -> Outcome:
    """Makes a version champion, if the gate accepts it (or is overridden) and it passes probation.

    Raises Rejected where it does not, Misconfigured where there is no such version or it has no revision.
    """
    with alone():
        start = _begin(name)
        client, entries, finished = start.client, start.entries, start.finished
        model = versions.find(full(asked, name))
        if model.name != name or model.version is None:
            raise Misconfigured(f"{asked} is no version of {name}, the corpus of params.yaml")
        last = ledger.last(entries, name)
        if last and last.to.digest == model.digest:
            return Outcome(last, False, finished)
        revision = revision_of(model)
        verdict = judge(model.folder)
        if verdict.digest != model.digest:
            raise Misconfigured(f"the gate judged {verdict.digest}, not {model.digest} of {model.asked}")
        found = kind(verdict.word, decision.override)
        if found is None:
            raise Rejected(_blocked(model, f"the gate says {verdict.word}", verdict.findings, "--override REASON"))
        tried = undergo(model, revision)
        if any(one.blocks and one.outcome == FAIL for one in tried):
            raise Rejected(_blocked(model, "it does not pass probation", tried, ""))
        entry = ledger.next_entry(
            entries,
            found,
            name,
            Place(model.version, model.digest, revision),
            decision.who,
            decision.override if found == ledger.OVERRIDE else decision.because,
            git.commit("HEAD"),
            verdict.record() | {"probation": [asdict(one) for one in tried]},
        )
        _record(client, entries, entry)
        return Outcome(entry, True, finished)


def roll_back(name: str, decision: Decision) -> Outcome:
    """Makes the version champion that was before; the one that was champion becomes the previous.

    A rollback that failed half-way is finished, and no second one begun. Raises Misconfigured where there is nothing to
    go back to.
    """
    with alone():
        start = _begin(name)
        client, entries, finished = start.client, start.entries, start.finished
        last = ledger.last(entries, name)
        if last is None or last.origin is None:
            raise Misconfigured(f"nothing to go back to: {ledger.PATH} knows no champion of {name} before this one")
        if start.resumed and last.kind == ledger.ROLLBACK:
            return Outcome(last, False, finished)
        if aliases.number(registry.known(client, name), last.origin.digest) is None:
            raise Misconfigured(
                f"this registry has no version with the digest {last.origin.digest}, which {name} would go back to: "
                f"`git checkout {last.origin.revision[:9]} && gazette run` registers it"
            )
        entry = ledger.next_entry(
            entries, ledger.ROLLBACK, name, last.origin, decision.who, decision.because, git.commit("HEAD")
        )
        _record(client, entries, entry)
        return Outcome(entry, True, finished)


@contextmanager
def alone() -> Iterator[None]:
    """Keeps other promotions of this clone out; raises Misconfigured where one is at work."""
    with filelock.held(state.folder(Path()) / LOCK, "another promotion is at work in this folder") as file:
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        yield
        file.truncate(0)


def _begin(name: str) -> Start:
    """Finishes what the last entry of the ledger still asks for: its aliases, where a call ended before they moved."""
    versions.refuse_no_registry(name)
    entries = ledger.read()
    client = registry.connect()
    note = state.folder(Path()) / BEGUN
    begun = note.read_text(encoding="utf-8") if note.exists() else ""
    last = entries[-1] if entries else None
    resumed = bool(last and last.digest() == begun)
    finished = []
    if last and resumed:
        finished.append(f"finished: the {last.kind} of {last.when}, {last.name} to version {last.to.version}")
    for one in {name, last.name if last and resumed else name}:
        if any(entry.name == one for entry in entries):
            finished += [f"{one}@{move.alias} moved to {move.to}" for move in aliases.settle(client, one, entries)]
        else:
            aliases.refuse_behind(one, entries, registry.known(client, one))
    note.unlink(missing_ok=True)
    return Start(client, entries, finished, resumed and last is not None and last.name == name)


def _record(client: Any, entries: Sequence[Entry], entry: Entry) -> None:
    """Writes the ledger, then moves the aliases."""
    note = state.folder(Path()) / BEGUN
    note.write_text(entry.digest(), encoding="utf-8")
    ledger.append(entry)
    aliases.settle(client, entry.name, [*entries, entry])
    note.unlink()


def _blocked(model: Model, why: str, findings: Sequence[Finding], cure: str) -> str:
    blocking = [one for one in findings if one.blocks and one.outcome != "pass"]
    lines = [f"  {one.outcome}: {one.rule}, observed {one.observed}, expected {one.expected}" for one in blocking]
    end = [f"{cure} promotes it all the same and records that"] if cure else []
    return "\n".join([f"{model.asked} is not promoted: {why}", *lines, *end])
