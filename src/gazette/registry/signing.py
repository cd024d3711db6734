"""Signed statements: Ed25519 in a DSSE envelope, which the tools of in-toto and Sigstore read as well.

The envelope is https://github.com/secure-systems-lab/dsse, version 1. A key is a PEM file, as
`openssl genpkey -algorithm ed25519` writes it; its key id is the SHA-256 of the raw public key.
"""

import copy
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from prefect_dvc.core.errors import ConfigError
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error
from securesystemslib.signer import CryptoSigner, SSlibKey

TYPE = "application/vnd.in-toto+json"


def sign(payload: bytes, key: Path) -> dict[str, Any]:
    """Return an envelope of `payload` with one signature; raises ConfigError if there is no private Ed25519 key."""
    private = load_key(key)
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigError(f"{key}: expected a private Ed25519 key; `openssl genpkey -algorithm ed25519 -out {key}`")
    envelope = Envelope(payload, TYPE, {})
    envelope.sign(CryptoSigner(private, _with_id(private.public_key())))
    return dict(envelope.to_dict())


def payload(envelope: dict[str, Any]) -> bytes:
    """Return the payload of an envelope without verifying it; raises ValueError if it is not an envelope."""
    return bytes(_parse(envelope).payload)


def verify(envelope: dict[str, Any], key: Path) -> list[str]:
    """Return what is wrong with an envelope, by the public (or private) key of its signer; empty if it is intact.

    Only the canonical form is accepted: no other JSON, Base64 or key id. Raises ConfigError if the key cannot be read.
    """
    signer = _load_signer(key)
    try:
        parsed = _parse(envelope)
        parsed.verify([signer], threshold=1)
    except ValueError as error:
        return [f"it is not an envelope: {error}"]
    except Error:
        return [f"its signature is not that of {key} over its payload"]
    signatures = [{"keyid": signer.keyid, "sig": parsed.to_dict()["signatures"][0]["sig"]}]
    canonical = parsed.to_dict() | {"signatures": signatures}
    return [] if envelope == canonical else ["it is not in canonical form"]


def verify_any(envelope: dict[str, Any], keys: Sequence[Path]) -> list[str]:
    """Return what is wrong with an envelope, of which one of the keys must be its signer's; empty if it is intact."""
    faults = [verify(envelope, key) for key in keys]
    if len(keys) == 1 or not all(faults):
        return faults[0] if all(faults) else []
    return [f"its signature is by none of {', '.join(map(str, keys))}"]


def key_id(key: Path) -> str:
    """Return the id of a public Ed25519 key, or of a private one's public key; raises ConfigError if it is none."""
    return str(_load_signer(key).keyid)


def text(record: dict[str, Any]) -> str:
    """Return a statement or an envelope as canonical JSON."""
    return json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def load_key(path: Path) -> object:
    """Return the private or public key in a PEM file; raises ConfigError if there is none."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such key")
    pem = path.read_bytes()
    try:
        return load_pem_private_key(pem, None) if b"PRIVATE KEY" in pem else load_pem_public_key(pem)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path}: not a key in PEM without a password: {error}") from None


def _parse(envelope: dict[str, Any]) -> Envelope:
    try:
        parsed = Envelope.from_dict(copy.deepcopy(envelope))  # it changes the signatures that it is passed
    except (Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}, {error}") from None
    if parsed.payload_type != TYPE or envelope.keys() != {"payload", "payloadType", "signatures"}:
        raise ValueError(f"expected a DSSE envelope of {TYPE}")
    return parsed


def _load_signer(key: Path) -> SSlibKey:
    loaded = load_key(key)
    public = loaded.public_key() if isinstance(loaded, Ed25519PrivateKey) else loaded
    if not isinstance(public, Ed25519PublicKey):
        raise ConfigError(f"{key}: expected a public Ed25519 key; `openssl pkey -in KEY -pubout` writes it")
    return _with_id(public)


def _with_id(key: Ed25519PublicKey) -> SSlibKey:
    return SSlibKey.from_crypto(key, keyid=hashlib.sha256(key.public_bytes_raw()).hexdigest())
