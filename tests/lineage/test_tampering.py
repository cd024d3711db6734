"""One bit of anything that was recorded is changed: `gazette verify` finds it, forty times of forty, and names it."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from keys import write_key
from projects import SOMEBODY, make_project, shell

from gazette.cli import app
from gazette.lineage.proof import verify
from gazette.registry import ledger, signing

MAKE = """\
import json, shutil
from pathlib import Path

bundle = Path("models/selected")
bundle.mkdir(parents=True, exist_ok=True)
words = "".join(sorted(file.read_text() for file in Path("data/raw/tiny").iterdir()))
(bundle / "bundle.json").write_text(json.dumps({"labels": ["sport", "trade"]}))
(bundle / "model.onnx").write_bytes(words.encode() * 20)
(bundle / "weights.h5").write_bytes(bytes(range(256)) * 4)
Path("reports").mkdir(exist_ok=True)
Path("reports/metrics.json").write_text(json.dumps({"accuracy": 0.9875, "macro_f1": 0.9861}))
"""
STAGES: dict[str, object] = {
    "select": {
        "cmd": f"{sys.executable} src/make.py --bundle models/selected",
        "deps": ["data/raw/tiny", "src/lib", "src/make.py"],
        "params": ["select"],
        "outs": ["models/selected"],
        "metrics": [{"reports/metrics.json": {"cache": False}}],
    }
}
PARAMS = "corpus: tiny\nselect:\n  tie: 0.5  # standard errors\n  seed: 7\ngate: {margin: 0.01}\n"
TAMPERED = {
    "raw data": (7, ["data/raw/tiny/1.txt", "data/raw/tiny/2.txt"]),
    "params": (6, ["params.yaml"]),
    "code": (6, ["src/make.py"]),
    "bundle": (7, [f"models/selected/{name}" for name in ("bundle.json", "model.onnx", "weights.h5")]),
    "metrics": (4, ["reports/metrics.json"]),
    "ledger": (5, ["ledger.jsonl"]),
    "statement": (5, ["statements/tiny.json"]),
}


def cases() -> Iterator[tuple[str, str, float, int]]:
    """What, which file, where in it, which bit."""
    draw = random.Random(7)
    for what, (count, files) in TAMPERED.items():
        for number in range(count):
            yield what, files[number % len(files)], draw.random(), draw.randrange(8)


def promoted(count: int) -> None:
    """Writes so many lines into the ledger."""
    for number in range(1, count + 1):
        new = ledger.VersionRef(str(number), f"{number:032x}.dir", "f" * 40)
        verdict = {"word": "accept", "digest": new.digest}
        when = datetime(2026, 1, number, tzinfo=UTC)
        entry = ledger.next_entry(
            ledger.read_ledger(), "promotion", "tiny", new, "Ada", "better", "f" * 40, verdict, when
        )
        ledger.append_entry(entry)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project in which everything is recorded, committed, and stated under a signature."""
    box = tmp_path_factory.mktemp("tampering")
    root = make_project(box, STAGES, params__yaml=PARAMS)
    before = Path.cwd()
    os.chdir(root)
    Path(".dvcignore").write_text("__pycache__\n")
    for folder in ("data/raw/tiny", "src"):
        Path(folder).mkdir(parents=True)
    Path("src/make.py").write_text(MAKE)
    Path("src/lib").mkdir()
    Path("src/lib/words.py").write_text("WORDS = 1\n")
    Path(".gitignore").write_text("/data/raw/?*/\n/models\n/.gazette\n__pycache__\n")
    for number, text in enumerate(["the team won the match", "shares fell by a tenth"], 1):
        Path(f"data/raw/tiny/{number}.txt").write_text(text)
    promoted(3)
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))  # the same one each time, so that bits are
    Path("../key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    shell(root, "dvc add -q data/raw/tiny && dvc repro -q")
    shell(
        root, f"git add -A && git {SOMEBODY} commit -qm ran && openssl pkey -in ../key.pem -pubout -out ../public.pem"
    )
    shell(root, f"{sys.executable} -m gazette attest --sign ../key.pem --to statements/tiny.json")
    write_key(Path("../ecdsa.pem"), ec.derive_private_key(7, ec.SECP256R1()))
    shell(root, f"{sys.executable} -m gazette attest --oms ../ecdsa.pem --to statements/tiny.sig")
    yield root
    os.chdir(before)


def faults(key: bool = True) -> list[str]:
    return verify.verify_revision([Path("statements/tiny.json")], [Path("../public.pem")] if key else [])


def test_what_nobody_touched_is_as_it_was_recorded(project: Path) -> None:
    assert faults() == []


@pytest.mark.parametrize(("what", "file", "where", "bit"), list(cases()))
def test_one_bit_is_found_and_named(project: Path, what: str, file: str, where: float, bit: int) -> None:
    path = project / file
    content, times = path.read_bytes(), path.stat()
    place = int(where * len(content))
    path.write_bytes(content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # nobody sees it by its time
    try:
        named = [
            line for line in faults() if file in line or (Path(file).name in line and str(Path(file).parent) in line)
        ]
        assert named, f"byte {place}, bit {bit} of {file}"
    finally:
        path.write_bytes(content)


def test_compiled_code_is_no_part_of_what_was_recorded(project: Path) -> None:
    """Each interpreter writes its own, so another verifier has others, or none."""
    compiled = Path("src/lib/__pycache__/words.cpython-311.pyc")
    compiled.parent.mkdir()
    for content in (b"", b"of another time"):
        compiled.write_bytes(content)
        assert faults() == []
    shell(project, "rm -r src/lib/__pycache__")


def test_there_are_forty_of_them() -> None:
    assert sum(count for count, _ in TAMPERED.values()) == len(list(cases())) == 40


def test_the_command_says_so_too_and_ends_with_three(project: Path) -> None:
    metrics = project / "reports" / "metrics.json"
    content = metrics.read_bytes()
    metrics.write_bytes(content.replace(b"0.9875", b"0.9975"))
    command = [sys.executable, "-m", "gazette", "verify", "--key", "../public.pem", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    metrics.write_bytes(content)
    assert done.returncode == 3, done.stderr
    assert any("reports/metrics.json" in line for line in json.loads(done.stdout)["differs"])


def test_a_statement_that_somebody_else_signed_is_found(project: Path) -> None:
    path = project / "statements" / "tiny.json"
    content = path.read_bytes()
    shell(project, "openssl genpkey -algorithm ed25519 -out ../other.pem")
    payload = signing.payload(json.loads(content))
    path.write_text(signing.text(signing.sign(payload, Path("../other.pem"))))
    try:
        assert any("signature" in line for line in faults())
    finally:
        path.write_bytes(content)


def test_a_statement_without_a_signature_is_refused_where_a_key_is_given(project: Path) -> None:
    path = project / "statements" / "tiny.json"
    content = path.read_bytes()
    path.write_text(signing.text(json.loads(signing.payload(json.loads(content)))))
    try:
        assert any("no signature" in line for line in faults())
        assert faults(key=False) == []
    finally:
        path.write_bytes(content)


def verify_command(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app.gazette, ["verify", *words])
    return result.exit_code, result.output


def test_the_signature_of_the_bundle_is_verified_where_a_key_is_named(project: Path) -> None:
    assert verify_command("--require-signature", "../ecdsa.pub") == (0, "everything is as recorded\n")
    write_key(Path("../stranger.pem"), ec.derive_private_key(8, ec.SECP256R1()))
    fault = "statements/tiny.sig: it is not signed by ../stranger.pub\n"
    assert verify_command("--require-signature", "../stranger.pub") == (3, fault)


def test_the_policy_of_params_requires_a_signature_too(project: Path) -> None:
    params, signature = Path("params.yaml"), Path("statements/tiny.sig")
    content, signed = params.read_text(), signature.read_bytes()
    params.write_text(content + "trust: {require_signature: [../ecdsa.pub]}\n")
    try:
        assert "tiny.sig" not in verify_command()[1]
        signature.unlink()
        assert "models/selected: it has no signature, expected that of ../ecdsa.pub" in verify_command()[1]
        signature.write_text("{")
        assert "statements/tiny.sig: not a signature of a model" in verify_command()[1]
    finally:
        signature.write_bytes(signed)
        params.write_text(content)


def test_a_bundle_that_differs_from_the_one_that_was_signed_is_named(project: Path) -> None:
    path = Path("models/selected/model.onnx")
    content = path.read_bytes()
    path.write_bytes(content + b"x")
    try:
        assert (
            "statements/tiny.sig: it is on other files: model.onnx"
            in verify_command("--require-signature", "../ecdsa.pub")[1]
        )
    finally:
        path.write_bytes(content)


def test_a_statement_and_a_signature_are_two_calls(project: Path) -> None:
    result = CliRunner().invoke(app.gazette, ["attest", "--sign", "../key.pem", "--oms", "../ecdsa.pem"])
    assert result.exit_code == 2 and "call it twice for both" in result.output


def test_a_ledger_whose_last_line_was_cut_off_is_found(project: Path) -> None:
    path = project / "ledger.jsonl"
    content = path.read_bytes()
    path.write_bytes(b"".join(content.splitlines(keepends=True)[:-1]))
    try:
        assert any("ledger.jsonl" in line for line in faults())
    finally:
        path.write_bytes(content)
