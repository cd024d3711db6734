"""An application pulls a registered bundle, pins it, and gets exactly the pinned one again."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from keys import write_key
from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError

from gazette.registry import model_signature, statements
from gazette.registry.store import client
from gazette.registry.store.model import RegisteredModel, RegisteredVersion
from gazette.serving import pull
from gazette.serving.pull import Pin, PinMismatchError

LOCK = pull.PULL_LOCK
TO = Path("models/news")


@pytest.fixture
def remote(tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> RegisteredModel:
    """Versions 1 (champion) and 2 of `tiny`, in an application's folder."""
    folders: dict[str, Path] = {}
    tags = {}
    for number in ("1", "2"):
        folders[number] = Path(shutil.copytree(bundle, tmp_path / f"version{number}"))
        (folders[number] / "bundle.json").write_text(json.dumps({"labels": ["a", "b"], "made": number}))
        tags[number] = {"digest": hashing.dvc_hash(folders[number])}
    tags["1"] |= {"revision": "r" * 40, "ledger": "1" * 64}
    registered = {n: RegisteredVersion("tiny", n, tags[n]["digest"], [], tags[n], "") for n in folders}
    known = RegisteredModel(registered, {"champion": "1"})

    def download(version: str, to: Path) -> Path:
        return Path(shutil.copytree(folders[version.rpartition("/")[2]], to / "artifacts"))

    (tmp_path / "application").mkdir()
    monkeypatch.chdir(tmp_path / "application")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///registry.db")
    monkeypatch.setattr(client, "connect", lambda: None)
    monkeypatch.setattr(client, "get_model", lambda _, name: known if name == "tiny" else RegisteredModel({}, {}))
    monkeypatch.setattr(client, "download", download)
    return known


def pulled_version() -> str:
    return str(json.loads((TO / "bundle.json").read_text())["made"])


def test_a_champion_is_pulled_and_pinned(remote: RegisteredModel) -> None:
    pin = pull.pull("tiny@champion", TO)
    assert pin == Pin("tiny", "1", hashing.dvc_hash(TO), "r" * 40, "1" * 64)
    assert pull.read_lock(LOCK) == {"models/news": pin}
    assert [path.name for path in Path().iterdir() if path.suffix == ".partial"] == []


def test_the_lock_pulls_what_it_pins_wherever_the_alias_is(remote: RegisteredModel) -> None:
    pull.pull("tiny@champion", TO)
    remote.aliases["champion"] = "2"
    shutil.rmtree(TO.parent)
    pull.pull_locked()
    assert pulled_version() == "1"


@pytest.mark.parametrize(
    ("change", "message"),
    [({"digest": "other"}, "its digest is other"), ({"revision": "x"}, "its revision is x")],
)
def test_a_difference_from_the_lock_is_named_and_nothing_is_pulled(
    remote: RegisteredModel, change: dict[str, str], message: str
) -> None:
    pull.pull("tiny/1", TO)
    remote.versions["1"].tags.update(change)
    shutil.rmtree(TO.parent)
    with pytest.raises(PinMismatchError, match=message) as stop:
        pull.pull_locked()
    assert stop.value.code == 1
    assert not TO.exists()


def test_a_pinned_version_that_was_deleted_is_named(remote: RegisteredModel) -> None:
    pull.pull("tiny/1", TO)
    del remote.versions["1"]
    with pytest.raises(PinMismatchError, match="tiny/1: the registry has no such version"):
        pull.pull_locked()


def test_a_damaged_bundle_is_pulled_again(remote: RegisteredModel) -> None:
    pull.pull("tiny/1", TO)
    (TO / "model.onnx").write_bytes(b"damaged")
    pull.pull_locked()
    assert hashing.dvc_hash(TO) == pull.read_lock(LOCK)["models/news"].digest


def test_an_intact_folder_that_an_image_copied_is_left_as_it_is(remote: RegisteredModel) -> None:
    pull.pull("tiny/1", TO)
    real = TO.resolve()
    TO.unlink()
    real.rename(TO)
    pull.pull_locked()
    assert TO.is_dir() and not TO.is_symlink()


def test_files_that_are_not_what_was_registered_are_refused(
    remote: RegisteredModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull.pull("tiny/1", TO)
    remote.versions["2"] = replace(remote.versions["2"], digest="promised.dir")
    with pytest.raises(ConfigError, match="must not be trusted"):
        pull.pull("tiny/2", TO)
    assert (pulled_version(), pull.read_lock(LOCK)["models/news"].version) == ("1", "1")


def test_a_statement_of_other_files_is_refused(
    remote: RegisteredModel, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = [
        {"name": f"models/selected/{p.name}", "digest": {"sha256": hashing.hash_file(p)}} for p in bundle.iterdir()
    ]
    remote.versions["1"].tags[statements.TAG] = "0" * 64
    monkeypatch.setattr(statements, "fetch_statement", lambda name, number: {"subject": subject})
    with pytest.raises(ConfigError, match=r"its statement has other digests for bundle\.json"):
        pull.pull("tiny/1", TO)
    assert not TO.exists()


@pytest.fixture
def signed(remote: RegisteredModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Version 1 is signed, version 2 is not; the keys of its signer and of a stranger."""
    keys = [write_key(tmp_path / name, ec.derive_private_key(n, ec.SECP256R1())) for n, name in ((7, "a"), (8, "b"))]
    signature = model_signature.sign(tmp_path / "version1", "tiny", keys[0])
    remote.versions["1"].tags[statements.SIGNATURE] = "0" * 64
    monkeypatch.setattr(statements, "fetch_record", lambda name, number, tag: signature if tag == "signature" else None)
    return keys


def test_a_signed_version_is_pulled_with_its_signature_beside_it(signed: list[Path]) -> None:
    pull.pull("tiny/1", TO, signers=signed)
    record = json.loads(Path("models/news.sig").read_text())
    assert model_signature.verify(record, TO, signed[:1]) == []
    pull.pull("tiny/2", TO)
    pull.pull("tiny/1", TO, signers=signed[:1])
    assert pulled_version() == "1"


@pytest.mark.parametrize(
    ("number", "why"), [("1", "it is not signed by "), ("2", "it has no signature, expected that")]
)
def test_a_version_that_the_key_did_not_sign_is_not_pulled(signed: list[Path], number: str, why: str) -> None:
    with pytest.raises(ConfigError, match=f"tiny/{number}: {why}"):
        pull.pull(f"tiny/{number}", TO, signers=signed[1:])
    assert not TO.exists() and not LOCK.exists()
    pull.pull(f"tiny/{number}", TO)
    with pytest.raises(ConfigError, match=f"tiny/{number}: {why}"):  # the folder is there, and still not trusted
        pull.pull_locked(signers=signed[1:])


def test_a_file_of_the_users_in_the_place_of_the_signature_stays(signed: list[Path]) -> None:
    TO.parent.mkdir()
    Path("models/news.sig").write_text("mine")
    with pytest.raises(ConfigError, match=r"models/news\.sig exists and is not as Gazette wrote it"):
        pull.pull("tiny/1", TO)
    assert Path("models/news.sig").read_text() == "mine" and not TO.exists()


def test_another_version_replaces_it_atomically_and_readers_keep_the_old_one(remote: RegisteredModel) -> None:
    pull.pull("tiny/1", TO)
    old = TO.resolve()
    pull.pull("tiny/2", TO)
    assert pulled_version() == "2"
    assert (old / "model.onnx").exists()
    pull.pull("tiny/1", TO)
    assert pulled_version() == "1"
    assert len(list(TO.parent.glob(".news.*"))) == 2


def test_a_folder_of_the_users_is_left_alone(remote: RegisteredModel) -> None:
    TO.mkdir(parents=True)
    (TO / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not a link of `gazette pull`"):
        pull.pull("tiny/1", TO)
    assert (TO / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("target", ["elsewhere", ".news.bundle-old", "elsewhere/.news.bundle-0123456789ab"])
def test_a_link_of_the_users_is_left_alone(remote: RegisteredModel, target: str) -> None:
    TO.parent.mkdir()
    TO.symlink_to(target)
    with pytest.raises(ConfigError, match="not a link of `gazette pull`"):
        pull.pull("tiny/1", TO)
    assert str(TO.readlink()) == target and not LOCK.exists()


def test_a_file_that_somebody_put_beside_a_bundle_is_left_alone(remote: RegisteredModel) -> None:
    pull.pull("tiny/1", TO)
    old = TO.resolve()
    (old / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"notes\.txt is no part of a bundle"):
        pull.pull("tiny/2", TO)
    (old / "notes.txt").rename("notes.txt")
    pull.pull("tiny/2", TO)
    (old / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"notes\.txt is no part of a bundle"):
        pull.pull("tiny/1", TO)
    assert pulled_version() == "2" and (old / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", [".news.link", ".news.bundle-mine", ".news.partial-mine"])
def test_what_lies_beside_the_link_with_a_name_like_ours_stays(remote: RegisteredModel, name: str) -> None:
    TO.with_name(name).mkdir(parents=True)
    (TO.with_name(name) / "notes.txt").write_text("mine")
    for version in ("tiny/1", "tiny/2", "tiny/1"):
        pull.pull(version, TO)
    assert (TO.with_name(name) / "notes.txt").read_text() == "mine"


def test_nothing_is_pulled_if_the_lock_is_somebody_elses(remote: RegisteredModel) -> None:
    LOCK.write_text("{}")
    with pytest.raises(ConfigError, match="not a lock of Gazette's"):
        pull.pull("tiny/1", TO)
    assert LOCK.read_text() == "{}" and not TO.exists()


def test_a_file_in_the_place_of_a_folder_is_named(remote: RegisteredModel) -> None:
    TO.parent.write_text("mine")
    with pytest.raises(ConfigError, match="models is not a folder"):
        pull.pull("tiny/1", TO)
    assert TO.parent.read_text() == "mine"


def test_a_file_that_is_not_a_lock_is_refused(remote: RegisteredModel) -> None:
    LOCK.write_text("{}")
    with pytest.raises(ConfigError, match="not a lock of Gazette's"):
        pull.pull_locked()


@pytest.mark.slow
def test_pull_needs_neither_dvc_nor_training_packages() -> None:
    code = "import sys; from gazette.serving import pull; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"dvc", "tensorflow", "keras", "great_expectations", "prefect", "tf2onnx", "pandera"}
    assert not heavy & set(done.stdout.split())
