"""Signatures of a bundle in the OpenSSF Model Signing format 1.0, which `model_signing verify key` accepts.

A signature is a Sigstore bundle with a DSSE envelope, whose payload is an in-toto statement of the SHA-256 of every
file and of all of these together (https://github.com/ossf/model-signing-spec). A key is an ECDSA key in a PEM file, as
`openssl ecparam -name prime256v1 -genkey -noout` writes it; its hint is the SHA-256 of the public key's PEM.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError
from securesystemslib.dsse import Envelope

from gazette.registry import signing

STATEMENT, PREDICATE = "https://in-toto.io/Statement/v1", "https://model_signing/signature/v1.0"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SERIALIZATION = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}
CURVES: dict[str, HashAlgorithm] = {  # those of the format, with their hashes
    "secp256r1": SHA256(),
    "secp384r1": SHA384(),
    "secp521r1": SHA512(),
}


class _Envelope(NamedTuple):
    """What was signed, the signature, and the key's hint, if there is one."""

    payload: bytes
    signature: bytes
    hint: str | None


def sign(folder: Path, name: str, key: Path) -> dict[str, Any]:
    """Return a signature of all files of a folder; the same files and key give the same bytes.

    `name` is informative: it is not compared. Raises ConfigError if there is no private ECDSA key.
    """
    private = signing.load_key(key)
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name not in CURVES:
        raise ConfigError(
            f"{key}: expected a private ECDSA key; `openssl ecparam -name prime256v1 -genkey -noout -out {key}`"
        )
    digests = _digests(folder)
    statement = {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": _root_digest(digests.values())}}],
        "predicateType": PREDICATE,
        "predicate": {
            "serialization": SERIALIZATION,
            "resources": [{"name": path, "algorithm": "sha256", "digest": sha256} for path, sha256 in digests.items()],
        },
    }
    payload = signing.text(statement).encode()
    algorithm = ec.ECDSA(CURVES[private.curve.name], deterministic_signing=True)
    signature = private.sign(Envelope(payload, signing.TYPE, {}).pae(), algorithm)
    return {
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": _hint(private.public_key())}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": signing.TYPE,
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }


def verify(record: dict[str, Any] | None, folder: Path, keys: Sequence[Path]) -> list[str]:
    """Return what is wrong with a signature of the files of a folder; empty if one of the keys made it, for all files.

    None is no signature, and that is wrong. A file that the signature leaves out counts as another file, even if it
    says that the file may be ignored. Raises ConfigError if a key cannot be read.
    """
    publics = [_load_public(key) for key in keys]
    if record is None:
        return [f"it has no signature, expected that of {_either(keys)}; `gazette attest --oms` writes it"]
    try:
        envelope = _parse(record)
        if not any(_is_signed(envelope, public) for public in publics):
            return [f"it is not signed by {_either(keys)}"]
        stated = _stated_digests(json.loads(envelope.payload))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return [f"not a signature of a model: {error!r}"]
    actual = _digests(folder)
    names = [name for name in sorted(stated.keys() | actual.keys()) if stated.get(name) != actual.get(name)]
    return [f"it is on other files: {', '.join(names)}"] if names else []


def is_signature(content: bytes) -> bool:
    """Whether a file's content is a signature of a model in this format."""
    try:
        payload = base64.b64decode(json.loads(content)["dsseEnvelope"]["payload"])
        return bool(json.loads(payload)["predicateType"] == PREDICATE)
    except (ValueError, KeyError, TypeError):
        return False


def _either(keys: Sequence[Path]) -> str:
    return " or ".join(map(str, keys))


def _digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder by its path, in the order of the format."""
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix(): hashing.hash_file(folder / path) for path in paths}


def _root_digest(digests: Iterable[str]) -> str:
    return hashlib.sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()


def _stated_digests(statement: dict[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each file that a statement names; raises ValueError if its form is another one."""
    kind, serialization = (statement["_type"], statement["predicateType"]), statement["predicate"]["serialization"]
    if kind != (STATEMENT, PREDICATE):
        raise ValueError(f"it states {kind[1]}, expected {PREDICATE}")
    if (serialization["method"], serialization["hash_type"]) != ("files", "sha256"):
        raise ValueError("expected the SHA-256 of whole files")
    resources = statement["predicate"]["resources"]
    digests = {resource["name"]: resource["digest"] for resource in resources if resource["algorithm"] == "sha256"}
    (subject,) = statement["subject"]
    if len(digests) != len(resources) or subject["digest"]["sha256"] != _root_digest(digests.values()):
        raise ValueError("its digest is not that of its files")
    return digests


def _parse(record: dict[str, Any]) -> _Envelope:
    """Return the envelope of a signature; raises ValueError, KeyError, TypeError or AttributeError if it is none."""
    envelope = record["dsseEnvelope"]
    if record["mediaType"] != BUNDLE or envelope["payloadType"] != signing.TYPE:
        raise ValueError(f"expected {BUNDLE} with an envelope of {signing.TYPE}")
    (signature,) = envelope["signatures"]
    return _Envelope(
        base64.b64decode(envelope["payload"], validate=True),
        base64.b64decode(signature["sig"], validate=True),
        record["verificationMaterial"]["publicKey"].get("hint"),
    )


def _is_signed(envelope: _Envelope, public: ec.EllipticCurvePublicKey) -> bool:
    if envelope.hint and envelope.hint != _hint(public):
        return False
    message = Envelope(envelope.payload, signing.TYPE, {}).pae()
    try:
        public.verify(envelope.signature, message, ec.ECDSA(CURVES[public.curve.name]))
    except InvalidSignature:
        return False
    return True


def _hint(public: ec.EllipticCurvePublicKey) -> str:
    return hashlib.sha256(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _load_public(key: Path) -> ec.EllipticCurvePublicKey:
    loaded = signing.load_key(key)
    public = loaded.public_key() if isinstance(loaded, ec.EllipticCurvePrivateKey) else loaded
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name not in CURVES:
        raise ConfigError(f"{key}: expected a public ECDSA key; `openssl pkey -in KEY -pubout` writes it")
    return public
