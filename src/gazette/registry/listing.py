"""Versions and entries of the ledger as rows."""

from typing import Any

from gazette.registry import ledger, resolve, versions
from gazette.registry.ledger import Entry
from gazette.registry.store import address


def of_versions(name: str) -> list[dict[str, Any]]:
    """A row for each version, the oldest first: number, aliases, digest, revision, and its last entry in the ledger."""
    versions.refuse_no_registry(name)
    from gazette.registry.store import client as registry  # imports MLflow, 3 s

    known = registry.known(registry.connect(), name)
    entries = [entry for entry in ledger.read() if entry.name == name]
    rows = []
    for number, version in known.versions.items():
        digest = version.tags.get("digest", "")
        last = next((entry for entry in reversed(entries) if entry.to.digest == digest), None)
        named = last.to.revision if last else next(iter(resolve.revisions(digest)), "") if digest else ""
        rows.append(
            {
                "version": number,
                "aliases": sorted(alias for alias, to in known.aliases.items() if to == number),
                "digest": digest,
                "revision": named,
                "ledger": f"{last.kind} {last.when}" if last else "",
                "verdict": verdict_of(entries, digest),
            }
        )
    return rows


def verdict_of(entries: list[Entry], digest: str) -> str:
    """The word of the gate on a bundle, in its last promotion or override; empty where there is none."""
    judged = [entry.verdict for entry in entries if entry.to.digest == digest and entry.verdict]
    return str(judged[-1]["word"]) if judged else ""


def of_entry(entry: Entry) -> dict[str, Any]:
    """An entry in a row."""
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


def followed_elsewhere() -> list[str]:
    """Names whose aliases follow an entry that this ledger has not; nothing where there is no registry to ask."""
    if not address.exists():
        return []
    from gazette.registry.store import client as registry

    entries = ledger.read() if not ledger.verify(ledger.lines()) else []
    digests = {entry.digest() for entry in entries}
    client = registry.connect()
    known = {name: registry.known(client, name).followed for name in sorted({entry.name for entry in entries})}
    return [
        f"the aliases of {name} follow an entry with the SHA-256 {followed}, which is not here: the last line of the "
        "ledger was altered, or another clone has promoted"
        for name, followed in known.items()
        if followed and followed not in digests
    ]
