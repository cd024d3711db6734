"""Versions and entries of the ledger as rows."""

from typing import Any

from gazette.registry import ledger, resolve, versions
from gazette.registry.ledger import Entry
from gazette.registry.store import address


def list_versions(name: str) -> list[dict[str, Any]]:
    """Return a row for each version, oldest first: number, aliases, digest, revision, and its last ledger entry."""
    versions.require_registry(name)
    from gazette.registry.store import client as store  # imports MLflow, about 5 s

    model = store.get_model(store.connect(), name)
    entries = [entry for entry in ledger.read_ledger() if entry.name == name]
    rows = []
    for number, version in model.versions.items():
        digest = version.tags.get("digest", "")
        last = next((entry for entry in reversed(entries) if entry.to.digest == digest), None)
        revision = last.to.revision if last else next(iter(resolve.list_revisions(digest)), "") if digest else ""
        rows.append(
            {
                "version": number,
                "aliases": sorted(alias for alias, to in model.aliases.items() if to == number),
                "digest": digest,
                "revision": revision,
                "ledger": f"{last.kind} {last.when}" if last else "",
                "verdict": last_verdict(entries, digest),
            }
        )
    return rows


def last_verdict(entries: list[Entry], digest: str) -> str:
    """Return the gate's word on a bundle in its last promotion or override; empty if there is none."""
    verdicts = [entry.verdict for entry in entries if entry.to.digest == digest and entry.verdict]
    return str(verdicts[-1]["word"]) if verdicts else ""


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


def names_ahead_of_ledger() -> list[str]:
    """Report the names whose aliases follow an entry that this ledger lacks; empty if there is no registry."""
    if not address.registry_exists():
        return []
    from gazette.registry.store import client as store

    entries = ledger.read_ledger() if not ledger.verify_chain(ledger.read_lines()) else []
    digests = {entry.digest() for entry in entries}
    client = store.connect()
    followed = {name: store.get_model(client, name).followed for name in sorted({entry.name for entry in entries})}
    return [
        f"the aliases of {name} follow an entry with the SHA-256 {digest}, which is not here: the last line of the "
        "ledger was altered, or another clone has promoted"
        for name, digest in followed.items()
        if digest and digest not in digests
    ]
