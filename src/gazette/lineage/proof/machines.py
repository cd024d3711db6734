"""Whether the machine explains different bytes: the fingerprint recorded with a version against the one here."""

from typing import Any

from prefect_dvc import flatten

from gazette.registry.store import address
from gazette.registry.store.model import read_object


def recorded_machine(name: str, digest: str) -> dict[str, Any] | None:
    """Return the fingerprint of the machine that trained a bundle; None if no registry here has it."""
    if not address.registry_exists():
        return None
    from gazette.registry.store import client

    versions = client.get_model(client.connect(), name).versions.values()
    machines = (
        read_object(f"{name}/{version.number}", version.tags, "machine")
        for version in versions
        if version.tags.get("digest") == digest and "machine" in version.tags
    )
    return next(machines, None)


def explain_machines(before: dict[str, Any] | None, now: dict[str, Any] | None) -> str:
    """Return a sentence on which parts of the two fingerprints differ, if any."""
    if before is None or now is None:
        return "the machine may explain it: the one that trained is unknown here"
    differences = [f"{key} {old} → {new}" for key, old, new in flatten.diff(before, now)]
    if not differences:
        return "the machine does not explain it: its fingerprint is the recorded one"
    return f"the machine may explain it: {', '.join(differences)}"
