"""A statement in the registry: a file of the run that made the version, and its SHA-256 as a tag of the version."""

import json
import tempfile
from pathlib import Path
from typing import Any

from gazette.core.errors import Misconfigured
from gazette.pipeline import hashing
from gazette.registry.store import address

TAG, FOLDER = "statement", "statements"


def put(name: str, digest: str, statement: Path) -> str | None:
    """Puts a statement beside the version of a bundle; which version that is, or none where no registry knows it."""
    if not digest or not address.exists():
        return None
    from gazette.registry.store import client as registry

    client: Any = registry.connect()
    number = registry.find(client, name, digest)
    if number is None:
        return None
    run = client.get_model_version(name, number).run_id
    if run:
        client.log_artifact(run, str(statement), FOLDER)
    client.set_model_version_tag(name, number, TAG, hashing.of_file(statement))
    return f"{name}/{number}"


def bring(name: str, number: str) -> dict[str, Any] | None:
    """The statement beside a version, out of its envelope; none where it has none.

    Whether it is signed by somebody who is trusted, `gazette verify --key` asks. Raises Misconfigured where the file is
    not the one that the tag names.
    """
    from gazette.registry import signing
    from gazette.registry.store import client as registry

    client: Any = registry.connect()
    version = client.get_model_version(name, number)
    wanted = version.tags.get(TAG)
    if not wanted:
        return None
    with tempfile.TemporaryDirectory() as box:
        there = client.list_artifacts(version.run_id, FOLDER) if version.run_id else []
        files = [Path(client.download_artifacts(version.run_id, one.path, box)) for one in there]
        found = next((file.read_bytes() for file in files if hashing.of_file(file) == wanted), None)
    if found is None:
        raise Misconfigured(
            f"{name}/{number}: the registry has no statement with the SHA-256 {wanted}, which its tag names; it was "
            "changed or removed: `gazette attest` at its revision writes it anew"
        )
    held: dict[str, Any] = json.loads(found)
    return dict(json.loads(signing.payload(held))) if "payload" in held else held
