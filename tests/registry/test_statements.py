"""Statements in a registry, with a real MLflow on a database of its own."""

import json
from pathlib import Path
from typing import Any

import pytest
import registry_databases
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from keys import write_key
from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError

from gazette.lineage.proof import verify
from gazette.registry import model_signature, signing, statements
from gazette.registry.store import client as registry

pytestmark = pytest.mark.slow

STATEMENT = {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "a", "digest": {"sha256": "0"}}]}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A registry with version 1 of `tiny`, made by a run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry_databases.prepare(tmp_path / "registry.db"))
    client: Any = registry.connect()
    run = client.create_run(client.create_experiment("tiny"))
    client.create_registered_model("tiny")
    client.create_model_version("tiny", "nowhere", run_id=run.info.run_id, tags={"digest": "abc.dir"})
    return client


def test_a_statement_that_was_put_beside_a_version_comes_out_again_signed_or_not(client: Any, tmp_path: Path) -> None:
    assert (
        statements.fetch_statement("tiny", "1") is None
        and statements.attach_statement("tiny", "other.dir", tmp_path) is None
    )
    path, key = tmp_path / "one.json", tmp_path / "key.pem"
    path.write_text(json.dumps(STATEMENT))
    assert (
        statements.attach_statement("tiny", "abc.dir", path) == "tiny/1"
        and statements.fetch_statement("tiny", "1") == STATEMENT
    )
    key.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.write_text(json.dumps(signing.sign(json.dumps(STATEMENT).encode(), key)))
    statements.attach_statement("tiny", "abc.dir", path)
    signature = tmp_path / "one.sig"
    signature.write_text('{"mediaType": "a"}')
    statements.attach_statement("tiny", "abc.dir", signature, statements.SIGNATURE)
    assert statements.fetch_statement("tiny", "1") == STATEMENT
    assert statements.fetch_record("tiny", "1", statements.SIGNATURE) == {"mediaType": "a"}


def test_a_registered_bundle_must_have_its_signature_where_a_key_is_required(
    client: Any, tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = write_key(tmp_path / "key.pem", ec.derive_private_key(7, ec.SECP256R1()))
    monkeypatch.setattr(registry, "download", lambda version, to: bundle)
    digest = hashing.dvc_hash(bundle)
    client.set_model_version_tag("tiny", "1", "digest", digest)
    assert verify.verify_registered("tiny", digest) == []
    (fault,) = verify.verify_registered("tiny", digest, [key])
    assert fault.startswith("tiny/1 in the registry: it has no signature, expected that of")
    path = tmp_path / "one.sig"
    path.write_text(signing.text(model_signature.sign(bundle, "tiny", key)))
    statements.attach_statement("tiny", digest, path, statements.SIGNATURE)
    assert verify.verify_registered("tiny", digest, [key]) == []
    (bundle / "bundle.json").write_text("{}")
    hashed, signed = verify.verify_registered("tiny", digest, [key])
    assert "its files have the hash" in hashed and "it is on other files: bundle.json" in signed


def test_a_statement_that_was_changed_in_the_registry_is_refused(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(STATEMENT))
    statements.attach_statement("tiny", "abc.dir", path)
    (stored,) = tmp_path.glob("mlruns/**/statements/one.json")
    stored.write_text("{}")
    with pytest.raises(ConfigError, match="the registry has no statement with the SHA-256"):
        statements.fetch_statement("tiny", "1")
