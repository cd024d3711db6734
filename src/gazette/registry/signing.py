"""Statements under a signature: Ed25519 in a DSSE envelope, which in-toto's and Sigstore's tools read as well.

The envelope is https://github.com/secure-systems-lab/dsse, version 1: what is signed is the payload with its type and
both lengths before it. A key is a PEM file, as `openssl genpkey -algorithm ed25519` makes it.
"""

import base64
import binascii
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from gazette.core.errors import Misconfigured

TYPE = "application/vnd.in-toto+json"


def sign(payload: bytes, key: Path) -> dict[str, Any]:
    """An envelope of `payload` with one signature; raises Misconfigured where the file holds no private Ed25519 key."""
    private = _private(key)
    signature = private.sign(_encoded(payload))
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": TYPE,
        "signatures": [{"keyid": _name(private.public_key()), "sig": base64.b64encode(signature).decode()}],
    }


def payload(envelope: dict[str, Any]) -> bytes:
    """What an envelope holds, its signature unread; raises ValueError where it holds nothing."""
    if envelope.keys() != {"payload", "payloadType", "signatures"} or envelope["payloadType"] != TYPE:
        raise ValueError(f"no DSSE envelope of {TYPE}")
    return base64.b64decode(envelope["payload"], validate=True)


def wrong(envelope: dict[str, Any], key: Path) -> list[str]:
    """What is wrong with an envelope, by the public key of its signer (or the private one); nothing where it is whole.

    Only the one way in which an envelope is written is taken: no other JSON, Base64 or name of a key says the same.
    """
    public = _public(key)
    try:
        held = payload(envelope)
        (signature,) = envelope["signatures"]
        raw = base64.b64decode(signature["sig"], validate=True)
        public.verify(raw, _encoded(held))
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        return [f"it cannot be read as one: {error}"]
    except InvalidSignature:
        return [f"its signature is not that of {key} over what it says"]
    same = [{"keyid": _name(public), "sig": base64.b64encode(raw).decode()}]
    written = base64.b64encode(held).decode()
    return [] if (envelope["payload"], envelope["signatures"]) == (written, same) else ["it is not as one is written"]


def text(record: dict[str, Any]) -> str:
    """A statement or an envelope as JSON, in the one way in which it is written."""
    return json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _encoded(payload: bytes) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE.encode(), len(payload), payload)


def _name(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def _private(path: Path) -> Ed25519PrivateKey:
    key = _loaded(path, private=True)
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"{path}: expected a private Ed25519 key; `openssl genpkey -algorithm ed25519 -out {path}`")
    return key


def _public(path: Path) -> Ed25519PublicKey:
    key = _loaded(path, private=False)
    if not isinstance(key, Ed25519PublicKey):
        raise Misconfigured(f"{path}: expected a public Ed25519 key; `openssl pkey -in KEY -pubout` writes it")
    return key


def _loaded(path: Path, private: bool) -> object:
    if not path.is_file():
        raise Misconfigured(f"{path}: no such key")
    pem = path.read_bytes()
    try:
        if b"PRIVATE KEY" in pem:
            key = load_pem_private_key(pem, password=None)
            return key if private else key.public_key()
        return load_pem_public_key(pem)
    except (ValueError, TypeError) as error:
        raise Misconfigured(f"{path}: not a key in PEM without a password: {error}") from None
