"""Whether the machine explains why bytes differ: the fingerprint recorded with a version beside the one here."""

import json
from typing import Any

from gazette.pipeline import flatten
from gazette.registry.store import address


def recorded(name: str, digest: str) -> dict[str, Any] | None:
    """The fingerprint of the machine that trained the version with that bundle, where a registry here knows it."""
    if not address.exists():
        return None
    from gazette.registry.store import client

    versions = client.known(client.connect(), name).versions.values()
    told = [
        version.tags["machine"]
        for version in versions
        if version.tags.get("digest") == digest and "machine" in version.tags
    ]
    return json.loads(told[0]) if told else None


def explanation(before: dict[str, Any] | None, now: dict[str, Any] | None) -> str:
    """A sentence: which parts of the two fingerprints differ, or that none does."""
    if before is None or now is None:
        return "the machine may explain it: which one trained is not known here"
    apart = [f"{key} {was} → {found}" for key, was, found in flatten.differing(before, now)]
    if not apart:
        return "the machine does not explain it: its fingerprint is the recorded one"
    return f"the machine may explain it: {', '.join(apart)}"
