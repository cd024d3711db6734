"""The ledger's decisions on a model: when it became champion, by whom, with which verdict."""

import json
from dataclasses import dataclass
from typing import Any

from gazette.registry.ledger import PATH


@dataclass(frozen=True)
class Decisions:
    """The entries that name a model, unchanged, and the lines of the ledger that cannot be read."""

    entries: list[dict[str, Any]]
    unknown: list[str]


def decisions_of(digest: str) -> Decisions:
    """Return the decisions on the bundle with this digest, oldest first; the chain is not verified here."""
    if not PATH.exists():
        return Decisions([], [f"verdict: there is no {PATH}; nothing was promoted yet"])
    entries, unknown = [], []
    for number, line in enumerate(PATH.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            entry = json.loads(line)
            digests = [(entry[side] or {}).get("digest") for side in ("to", "from")]
        except (ValueError, KeyError, TypeError, AttributeError):
            unknown.append(f"verdict: line {number} of {PATH} is not an entry; `gazette ledger --verify` gives details")
            continue
        if digest in digests:
            entries.append(entry | {"became": "champion" if digests[0] == digest else "previous"})
    return Decisions(entries, unknown)
