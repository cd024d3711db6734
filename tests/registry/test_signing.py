"""Signed statements: an envelope has one form, and signatures made before securesystemslib stay valid."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from prefect_dvc.core.errors import ConfigError

from gazette.registry import signing

PAYLOAD = '{"a": "天"}\n'.encode()
ENVELOPE: dict[str, Any] = {
    "payload": "eyJhIjogIuWkqSJ9Cg==",
    "payloadType": "application/vnd.in-toto+json",
    "signatures": [
        {
            "keyid": "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c",
            "sig": "5lUMdRlOmBeCpBCeGaD2YzRzYtHBwCZhl9Ihpl51+iKReVUbMgsq1wG85fUfZTl2f5Ev1IC6FsTO0VGz2I1MDg==",
        }
    ],
}  # made by Gazette's own code at 24a9c17


@pytest.fixture
def key(tmp_path: Path) -> Path:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    path = tmp_path / "key.pem"
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.with_name("public.pem").write_bytes(public)
    return path


def test_an_existing_signature_verifies_and_signing_again_gives_the_same_bytes(key: Path) -> None:
    assert signing.verify(ENVELOPE, key.with_name("public.pem")) == signing.verify(ENVELOPE, key) == []
    assert signing.text(signing.sign(PAYLOAD, key)) == signing.text(ENVELOPE)
    assert signing.payload(ENVELOPE) == PAYLOAD


def signature(envelope: dict[str, Any]) -> dict[str, Any]:
    return dict(envelope["signatures"][0])


ALTERED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another payload": lambda e: e.update(payload="eA=="),
    "another key id": lambda e: e["signatures"][0].update(keyid="0" * 64),
    "another key in the signature": lambda e: e["signatures"][0].update(extra=1),
    "a second signature": lambda e: e["signatures"].append({"keyid": "ab", "sig": "AAAA"}),
    "no signature": lambda e: e["signatures"].clear(),
    "a line break in Base64": lambda e: e.update(payload=e["payload"] + "\n"),
    "Base64 for URLs": lambda e: e["signatures"][0].update(sig=signature(e)["sig"].replace("+", "-")),
    "another type": lambda e: e.update(payloadType="text/plain"),
    "another key": lambda e: e.update(extra=1),
    "no payload": lambda e: e.pop("payload"),
    "no list": lambda e: e.update(signatures=3),
}


@pytest.mark.parametrize("what", list(ALTERED))
def test_any_other_form_is_refused(key: Path, what: str) -> None:
    envelope = copy.deepcopy(ENVELOPE)
    ALTERED[what](envelope)
    assert len(signing.verify(envelope, key)) == 1


def test_another_signer_and_what_is_not_a_key_are_refused(key: Path) -> None:
    stranger = key.with_name("stranger.pem")
    stranger.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (fault,) = signing.verify(ENVELOPE, stranger)
    assert "its signature is not that of" in fault
    stranger.write_text(json.dumps(ENVELOPE))
    for path, match in ((stranger, "not a key in PEM"), (key.with_name("none.pem"), "no such key")):
        with pytest.raises(ConfigError, match=match):
            signing.verify(ENVELOPE, path)
    with pytest.raises(ConfigError, match="expected a private Ed25519 key"):
        signing.sign(PAYLOAD, key.with_name("public.pem"))
