"""Promotion and rollback: the gate, the smoke test, the ledger, then the aliases, in this order.

A decision is in the ledger before an alias moves. After a later failure, the next call finishes the job; if a step
before the ledger entry fails, nothing has changed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect_dvc import git, locks
from prefect_dvc.core.errors import CommandError, ConfigError

from gazette.pipeline import state
from gazette.registry import aliases, ledger, resolve, shared_ledger, versions
from gazette.registry.ledger import Entry, VersionRef
from gazette.registry.shared_ledger import SharedLedger
from gazette.registry.store import client as store
from gazette.registry.verdict import ACCEPT, FAIL, PASS, Finding, Verdict
from gazette.registry.versions import ResolvedModel

PROMOTION_LOCK = "promotion.lock"
OVERRIDE_HINT = "--override REASON promotes it anyway and records the reason"
PENDING = "promotion.begun"  # the SHA-256 of an entry whose aliases have not moved yet, as far as is known


class RejectedError(CommandError):
    """The version is not promoted; the ledger and the aliases are unchanged."""

    code = 1


@dataclass(frozen=True)
class Decision:
    """Who promotes or rolls back, and why.

    A non-empty `override` promotes what the gate does not accept, and what was rolled back.
    """

    who: str
    because: str = ""
    override: str = ""


@dataclass(frozen=True)
class PromotionResult:
    """The current entry, whether it is new, and what was finished on the way."""

    entry: Entry
    is_new: bool
    finished: list[str]


@dataclass(frozen=True)
class PromotionStart:
    """The state before a promotion: registry and ledgers, what was finished, and whether an entry was resumed."""

    client: Any
    shared: SharedLedger | None
    entries: list[Entry]
    finished: list[str]
    resumed: bool


Judge = Callable[[Path], Verdict]
SmokeTest = Callable[[ResolvedModel, str], list[Finding]]


def qualified_name(reference: str, name: str) -> str:
    """Return `7` and `challenger` as NAME/7 and NAME@challenger; other forms unchanged."""
    if "@" in reference or "/" in reference:
        return reference
    return f"{name}/{reference}" if reference.isdigit() else f"{name}@{reference}"


def promote(name: str, reference: str, decision: Decision, judge: Judge, smoke_test: SmokeTest) -> PromotionResult:
    """Make a version champion, if the gate accepts it and no rollback left it (or both are overridden).

    It has to pass the smoke test. Raises RejectedError if it is not promoted, ConfigError if there is no such version
    or it has no revision.
    """
    with promotion_lock():
        start = _start(name)
        model = versions.find_model(qualified_name(reference, name))
        if model.name != name or model.version is None:
            raise ConfigError(f"{reference} is not a version of {name}, the corpus of params.yaml")
        last = ledger.last_entry(start.entries, name)
        if last and last.to.digest == model.digest:
            return PromotionResult(last, False, start.finished)
        rollback = ledger.suppressed(start.entries, name).get(model.digest)
        if rollback and not decision.override:
            raise RejectedError(_suppression(model, rollback))
        revision = resolve.find_revision(model)
        verdict = judge(model.folder)
        if verdict.digest != model.digest:
            raise ConfigError(f"the gate judged {verdict.digest}, not {model.digest} of {model.reference}")
        accepted = verdict.word == ACCEPT
        if not accepted and not decision.override:
            why = _rejection(model, f"the gate says {verdict.word}", verdict.findings)
            raise RejectedError(f"{why}\n{OVERRIDE_HINT}")
        findings = smoke_test(model, revision)
        if any(finding.blocks and finding.outcome == FAIL for finding in findings):
            raise RejectedError(_rejection(model, "it fails the smoke test", findings))
        is_override = rollback or not accepted
        kind, reason = (ledger.OVERRIDE, decision.override) if is_override else (ledger.PROMOTION, decision.because)
        version = VersionRef(model.version, model.digest, revision)
        record = verdict.record() | {"smoke_test": [asdict(finding) for finding in findings]}
        head = git.resolve_commit("HEAD")
        return _record(start, ledger.next_entry(start.entries, kind, name, version, decision.who, reason, head, record))


def roll_back(name: str, decision: Decision) -> PromotionResult:
    """Make the previous version champion again; the current champion becomes the previous one.

    An interrupted rollback is finished, and no second one started. Raises ConfigError if there is no previous version.
    """
    with promotion_lock():
        start = _start(name)
        last = ledger.last_entry(start.entries, name)
        if last is None or last.origin is None:
            raise ConfigError(f"nothing to go back to: {ledger.PATH} has no champion of {name} before this one")
        if start.resumed and last.kind == ledger.ROLLBACK:
            return PromotionResult(last, False, start.finished)
        if not store.get_model(start.client, name).find_digest(last.origin.digest):
            raise ConfigError(
                f"this registry has no version with the digest {last.origin.digest}, to which {name} would go back: "
                f"`git checkout {last.origin.revision[:9]} && gazette run` registers it"
            )
        who, why, head = decision.who, decision.because, git.resolve_commit("HEAD")
        return _record(start, ledger.next_entry(start.entries, ledger.ROLLBACK, name, last.origin, who, why, head))


def finish(name: str) -> list[str]:
    """Finish a promotion or rollback that ended before its aliases moved, and return what was done."""
    with promotion_lock():
        return _start(name).finished


@contextmanager
def promotion_lock() -> Iterator[None]:
    """Exclude other promotions in this clone; raises ConfigError if one is running."""
    lock = state.state_folder(Path()) / PROMOTION_LOCK
    with locks.file_lock(lock, "another promotion is running in this folder"), locks.signed(lock):
        yield


def _start(name: str) -> PromotionStart:
    """Finish the last entry of the ledger if a call ended before its aliases moved, and return the state."""
    versions.require_registry(name)
    client = store.connect()
    note = state.state_folder(Path()) / PENDING
    pending = note.read_text(encoding="utf-8") if note.exists() else ""
    shared = shared_ledger.read()
    entries = shared_ledger.catch_up(shared, pending) if shared else ledger.read_ledger()
    last = entries[-1] if entries and entries[-1].digest() == pending else None
    finished = []
    if last:
        finished.append(f"finished: the {last.kind} of {last.when}, {last.name} to version {last.to.version}")
    for each in {name, last.name if last else name}:
        if ledger.last_entry(entries, each):
            finished += [f"{each}@{move.alias} moved to {move.to}" for move in aliases.sync(client, each, entries)]
        else:
            aliases.check_not_behind(each, entries, store.get_model(client, each))
    note.unlink(missing_ok=True)
    return PromotionStart(client, shared, entries, finished, last is not None and last.name == name)


def _record(start: PromotionStart, entry: Entry) -> PromotionResult:
    """Write the ledger, first the one that clones share, then move the aliases."""
    note = state.state_folder(Path()) / PENDING
    note.write_text(entry.digest(), encoding="utf-8")
    if start.shared:
        shared_ledger.push(start.shared, entry)
    ledger.append_entry(entry)
    if start.shared:
        aliases.follow(start.client, entry.name, start.shared.read_again())
    else:
        aliases.sync(start.client, entry.name, [*start.entries, entry])
    note.unlink()
    return PromotionResult(entry, True, start.finished)


def _suppression(model: ResolvedModel, rollback: Entry) -> str:
    reason = f": {rollback.reason}" if rollback.reason else ""
    return (
        f"{model.reference} is not promoted: {rollback.who} rolled it back on {rollback.when}{reason}\n{OVERRIDE_HINT}"
    )


def _rejection(model: ResolvedModel, why: str, findings: Sequence[Finding]) -> str:
    lines = [
        f"  {finding.outcome}: {finding.rule}, observed {finding.observed}, expected {finding.expected}"
        for finding in findings
        if finding.blocks and finding.outcome != PASS
    ]
    return "\n".join([f"{model.reference} is not promoted: {why}", *lines])
