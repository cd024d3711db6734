"""What the ledger says of a model: when it became champion, on whose word, by which verdict."""

import json
from dataclasses import dataclass
from typing import Any

from gazette.registry.ledger import PATH


@dataclass(frozen=True)
class Decided:
    """The entries that name a model, as they stand, and what of the ledger cannot be read."""

    entries: list[dict[str, Any]]
    unknown: list[str]


def of(digest: str) -> Decided:
    """What was decided of the bundle with this digest, the oldest first; whether the chain holds is not asked here."""
    if not PATH.exists():
        return Decided([], [f"verdict: there is no {PATH}; nothing was promoted yet"])
    entries, unknown = [], []
    for number, line in enumerate(PATH.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            entry = json.loads(line)
            named = [(entry[side] or {}).get("digest") for side in ("to", "from")]
        except (ValueError, KeyError, TypeError, AttributeError):
            unknown.append(f"verdict: line {number} of {PATH} is no entry; `gazette ledger --verify` says more")
            continue
        if digest in named:
            entries.append(entry | {"became": "champion" if named[0] == digest else "previous"})
    return Decided(entries, unknown)
