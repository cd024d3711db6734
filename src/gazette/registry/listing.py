"""Versions and entries of the ledger as rows."""

from collections.abc import Sequence
from typing import Any

from gazette.registry import aliases, ledger, resolve, versions
from gazette.registry.ledger import Entry


def list_versions(name: str) -> list[dict[str, Any]]:
    """Return a row for each version, oldest first: number, aliases, digest, revision, and its last ledger entry."""
    versions.require_registry(name)
    ledger_entries = ledger.read_ledger()
    rows = []
    for version in versions.get_model(name).versions.values():
        digest = version.digest
        entries = [entry for entry in ledger_entries if (entry.name, entry.to.digest) == (name, digest)]
        last = entries[-1] if entries else None
        commits = resolve.list_revisions(digest) if digest and not last else []
        verdicts = [entry.verdict["word"] for entry in entries if entry.verdict]  # a rollback has none
        rows.append(
            {
                "version": version.number,
                "aliases": version.aliases,
                "digest": digest,
                "revision": last.to.revision if last else next(iter(commits), ""),
                "ledger": f"{last.kind} {last.when}" if last else "",
                "verdict": verdicts[-1] if verdicts else "",
            }
        )
    return rows


def entry_row(entry: Entry) -> dict[str, Any]:
    """Return an entry as a row."""
    return {
        "": entry.number,
        "when": entry.when[:16].replace("T", " "),  # UTC
        "kind": entry.kind,
        "name": entry.name,
        "from": entry.origin.version if entry.origin else "",
        "to": entry.to.version,
        "verdict": entry.verdict["word"] if entry.verdict else "",
        "who": entry.who,
        "because": entry.reason,
    }


def names_ahead_of_ledger(entries: Sequence[Entry]) -> list[str]:
    """Report the names whose aliases follow an entry that this ledger lacks; empty if there is no registry."""
    digests = {entry.digest() for entry in entries}
    followed = {name: versions.get_model(name).followed for name in sorted({entry.name for entry in entries})}
    return [
        f"the aliases of {name} follow an entry with the SHA-256 {digest}, which is not here: the last line of the "
        "ledger was altered, or another clone has promoted"
        for name, digest in followed.items()
        if digest and digest not in digests
    ]


def list_moved_aliases(entries: Sequence[Entry]) -> list[str]:
    """Report the aliases that are not where the entry that the registry follows put them; empty if there is none."""
    faults = []
    for name in sorted({entry.name for entry in entries}):
        last, model = ledger.last_entry(entries, name), versions.get_model(name)
        for move in aliases.plan_moves(last, model) if last and model.followed == last.digest() else ():
            faults.append(
                f"{name}@{move.alias} names {_name_version(move.source)} in the registry, and by the ledger "
                f"{_name_version(move.to)}: it was moved by hand, or a promotion was killed; `gazette registry "
                "rebuild` moves it"
            )
    return faults


def _name_version(number: str | None) -> str:
    return f"version {number}" if number else "no version"
