"""Signatures in the OpenSSF Model Signing format: fixed bytes, one that `model_signing` made, and what is refused."""

import base64
import copy
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from keys import write_key
from prefect_dvc.core.errors import ConfigError

from gazette.registry import model_signature, signing

FILES = {"model.onnx": "weights", "bundle.json": "{}"}
OURS = Path(__file__).with_name("ours.sig")
THEIRS = Path(__file__).with_name("theirs.sig")  # `model_signing sign key`, version 1.1.1, on the same files and key
MODEL_SIGNING = "MODEL_SIGNING"  # names the command of the package `model-signing`, in an environment of its own


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return write_key(tmp_path / "key.pem", ec.derive_private_key(7, ec.SECP256R1()))


def record(path: Path = OURS) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def test_the_same_files_and_key_give_the_same_bytes(bundle: Path, key: Path) -> None:
    assert signing.text(model_signature.sign(bundle, "tiny", key)) == OURS.read_text()


@pytest.mark.parametrize("path", [OURS, THEIRS], ids=["ours", "theirs"])
def test_a_signature_of_either_program_verifies(bundle: Path, key: Path, path: Path) -> None:
    assert model_signature.verify(record(path), bundle, [key.with_suffix(".pub")]) == []
    assert model_signature.verify(record(path), bundle, [key]) == []
    assert model_signature.is_signature(path.read_bytes())


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_the_larger_curves_of_the_format_sign_too(bundle: Path, tmp_path: Path, curve: Any) -> None:
    key = write_key(tmp_path / "large.pem", ec.derive_private_key(7, curve))
    assert model_signature.verify(model_signature.sign(bundle, "tiny", key), bundle, [key.with_suffix(".pub")]) == []


def test_one_of_several_keys_suffices(bundle: Path, key: Path, tmp_path: Path) -> None:
    stranger = write_key(tmp_path / "stranger.pem", ec.derive_private_key(8, ec.SECP256R1()))
    assert model_signature.verify(record(), bundle, [stranger, key]) == []
    (fault,) = model_signature.verify(record(), bundle, [stranger])
    assert fault == f"it is not signed by {stranger}"


CHANGED: dict[str, Callable[[Path], object]] = {
    "bundle.json": lambda folder: (folder / "bundle.json").write_text("[]"),
    "model.onnx": lambda folder: (folder / "model.onnx").unlink(),
    "tokenizer.json": lambda folder: (folder / "tokenizer.json").write_text("{}"),
    ".gitignore": lambda folder: (folder / ".gitignore").write_text("*"),  # theirs says that it may be ignored
}


@pytest.mark.parametrize("path", [OURS, THEIRS], ids=["ours", "theirs"])
@pytest.mark.parametrize("name", list(CHANGED))
def test_a_file_that_is_other_missing_or_new_is_named(bundle: Path, key: Path, name: str, path: Path) -> None:
    CHANGED[name](bundle)
    assert model_signature.verify(record(path), bundle, [key]) == [f"it is on other files: {name}"]


def payload(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    """A change of the payload, which its signature does not cover any more."""

    def apply(signature: dict[str, Any]) -> None:
        statement = json.loads(base64.b64decode(signature["dsseEnvelope"]["payload"]))
        change(statement)
        signature["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()

    return apply


ALTERED: dict[str, Callable[[dict[str, Any]], object]] = {
    "another payload": payload(lambda statement: statement["predicate"]["resources"].pop()),
    "another hint": lambda r: r["verificationMaterial"]["publicKey"].update(hint="0" * 64),
    "a second signature": lambda r: r["dsseEnvelope"]["signatures"].append(r["dsseEnvelope"]["signatures"][0]),
    "no signature": lambda r: r["dsseEnvelope"]["signatures"].clear(),
    "another media type": lambda r: r.update(mediaType="text/plain"),
    "another payload type": lambda r: r["dsseEnvelope"].update(payloadType="text/plain"),
    "no Base64": lambda r: r["dsseEnvelope"].update(payload="*"),
    "a certificate": lambda r: r.update(verificationMaterial={"certificate": {}}),
    "no envelope": lambda r: r.update(dsseEnvelope=3),
}


@pytest.mark.parametrize("what", list(ALTERED))
def test_any_other_form_is_refused(bundle: Path, key: Path, what: str) -> None:
    altered = copy.deepcopy(record())
    ALTERED[what](altered)
    assert len(model_signature.verify(altered, bundle, [key])) == 1


@pytest.mark.parametrize(
    ("field", "value", "match"),
    [
        ("predicateType", "https://slsa.dev/provenance/v1", "it states https://slsa.dev"),
        ("serialization", {"method": "shards", "hash_type": "sha256"}, "the SHA-256 of whole files"),
        ("resources", [], "its digest is not that of its files"),
    ],
)
def test_a_statement_of_another_kind_is_refused_even_if_it_is_signed(
    bundle: Path, key: Path, monkeypatch: pytest.MonkeyPatch, field: str, value: object, match: str
) -> None:
    text = signing.text

    def alter(statement: dict[str, Any]) -> str:
        place = statement if field in statement else statement["predicate"]
        return text(
            statement | {field: value} if place is statement else statement | {"predicate": place | {field: value}}
        )

    monkeypatch.setattr(signing, "text", alter)
    signature = model_signature.sign(bundle, "tiny", key)
    (fault,) = model_signature.verify(signature, bundle, [key])
    assert match in fault


def test_no_signature_and_no_ecdsa_key_are_named(bundle: Path, key: Path, tmp_path: Path) -> None:
    (fault,) = model_signature.verify(None, bundle, [key])
    assert fault == f"it has no signature, expected that of {key}; `gazette attest --oms` writes it"
    ed25519 = write_key(tmp_path / "ed25519.pem", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(ConfigError, match="expected a private ECDSA key; `openssl ecparam"):
        model_signature.sign(bundle, "tiny", ed25519)
    with pytest.raises(ConfigError, match="expected a public ECDSA key"):
        model_signature.verify(record(), bundle, [ed25519])


@pytest.mark.skipif(MODEL_SIGNING not in os.environ, reason=f"{MODEL_SIGNING} does not name `model_signing`")
def test_model_signing_verifies_our_signature_and_we_verify_its(bundle: Path, key: Path, tmp_path: Path) -> None:
    command, ours, theirs = os.environ[MODEL_SIGNING], tmp_path / "ours.sig", tmp_path / "theirs.sig"
    ours.write_text(signing.text(model_signature.sign(bundle, "tiny", key)))
    verify = [command, "verify", "key", bundle, "--signature", ours, "--public_key", key.with_suffix(".pub")]
    assert "Verification succeeded" in subprocess.run(verify, capture_output=True, text=True, check=True).stdout
    (bundle / "model.onnx").write_text("damaged")
    assert subprocess.run(verify, capture_output=True, check=False).returncode == 1
    subprocess.run([command, "sign", "key", bundle, "--signature", theirs, "--private_key", key], check=True)
    assert model_signature.verify(record(theirs), bundle, [key]) == []
