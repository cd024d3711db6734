"""Statements and signatures in the registry: artifacts of a version's run, their SHA-256 as tags of the version."""

import json
import tempfile
from pathlib import Path
from typing import Any

from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError

from gazette.registry.store import address

TAG, SIGNATURE = "statement", "signature"  # tags of a version
FOLDER, SUFFIX = "statements", ".sig"  # of artifacts, and of files with a signature


def attach_statement(name: str, digest: str, statement: Path, tag: str = TAG) -> str | None:
    """Attach a statement or a signature to the version of a bundle and return that; None if no registry has it."""
    if not digest or not address.registry_exists():
        return None
    from gazette.registry.store import client as store
    from gazette.registry.store.retry import call_with_retries

    client: Any = store.connect()
    version = store.get_model(client, name).find_digest(digest)
    if version is None:
        return None
    if version.run:
        call_with_retries(client.log_artifact, version.run, str(statement), FOLDER)
    store.set_tags(client, name, version.number, {tag: hashing.hash_file(statement)})
    return f"{name}/{version.number}"


def fetch_statement(name: str, number: str) -> dict[str, Any] | None:
    """Return the statement of a version without its envelope; None if it has none.

    Its signature is not verified; `gazette verify --key` does that. Raises ConfigError if the file is not the one that
    the tag names.
    """
    record = fetch_record(name, number)
    return unwrap(record) if record else None


def unwrap(record: dict[str, Any]) -> dict[str, Any]:
    """Return a statement without its envelope, if it has one."""
    from gazette.registry import signing

    return dict(json.loads(signing.payload(record))) if "payload" in record else record


def fetch_record(name: str, number: str, tag: str = TAG) -> dict[str, Any] | None:
    """Return the statement of a version in its envelope, or its signature; None if it has none.

    Raises ConfigError if the file is not the one that the tag names.
    """
    from gazette.registry.store import client as store
    from gazette.registry.store.retry import registry_errors

    client: Any = store.connect()
    with registry_errors(), tempfile.TemporaryDirectory() as folder:
        version = client.get_model_version(name, number)
        digest = version.tags.get(tag)
        if not digest:
            return None
        artifacts = client.list_artifacts(version.run_id, FOLDER) if version.run_id else []
        files = [Path(client.download_artifacts(version.run_id, artifact.path, folder)) for artifact in artifacts]
        content = next((file.read_bytes() for file in files if hashing.hash_file(file) == digest), None)
    if content is None:
        raise ConfigError(
            f"{name}/{number}: the registry has no {tag} with the SHA-256 {digest}, which its tag names; it was "
            "changed or removed: `gazette attest` at its revision writes it again"
        )
    record: dict[str, Any] = json.loads(content)
    return record
