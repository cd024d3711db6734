"""An application takes a registered bundle, pins it, and gets the pinned one again or nothing."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gazette.core.errors import Misconfigured
from gazette.pipeline import hashing
from gazette.registry import statements, versions
from gazette.registry.store import client
from gazette.registry.store.client import Known, Version
from gazette.serving import pull
from gazette.serving.pull import Different, Pin

LOCK = pull.LOCK
TO = Path("models/news")


@pytest.fixture
def remote(tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Known:
    """Versions 1 (champion) and 2 of `tiny`, in an application's folder."""
    found: dict[str, Path] = {}
    tags = {}
    for number in ("1", "2"):
        found[number] = Path(shutil.copytree(bundle, tmp_path / f"version{number}"))
        (found[number] / "bundle.json").write_text(json.dumps({"labels": ["a", "b"], "made": number}))
        tags[number] = {"digest": hashing.of_bundle(found[number])}
    tags["1"] |= {"revision": "r" * 40, "ledger": "1" * 64}
    known = Known({number: Version(number, tags[number]) for number in found}, {"champion": "1"})

    def download(version: str, to: Path) -> Path:
        return Path(shutil.copytree(found[version.rpartition("/")[2]], to / "artifacts"))

    (tmp_path / "application").mkdir()
    monkeypatch.chdir(tmp_path / "application")
    monkeypatch.setattr(versions, "refuse_no_registry", lambda asked: None)
    monkeypatch.setattr(client, "connect", lambda: None)
    monkeypatch.setattr(client, "known", lambda _, name: known if name == "tiny" else Known({}, {}))
    monkeypatch.setattr(client, "download", download)
    return known


def made() -> str:
    return str(json.loads((TO / "bundle.json").read_text())["made"])


def test_a_champion_is_pulled_and_pinned(remote: Known) -> None:
    pin = pull.pull("tiny@champion", TO)
    assert pin == Pin("tiny", "1", hashing.of_bundle(TO), "r" * 40, "1" * 64)
    assert pull.read(LOCK) == {"models/news": pin}
    assert [path.name for path in Path().iterdir() if path.suffix == ".partial"] == []


def test_the_lock_brings_what_it_pins_wherever_the_alias_is(remote: Known) -> None:
    pull.pull("tiny@champion", TO)
    remote.aliases["champion"] = "2"
    shutil.rmtree(TO.parent)
    pull.pull_locked()
    assert made() == "1"


@pytest.mark.parametrize(
    ("change", "said"),
    [({"digest": "other"}, "its digest is other"), ({"revision": "x"}, "its revision is x")],
)
def test_what_differs_from_the_lock_is_named_and_nothing_taken(
    remote: Known, change: dict[str, str], said: str
) -> None:
    pull.pull("tiny/1", TO)
    remote.versions["1"].tags.update(change)
    shutil.rmtree(TO.parent)
    with pytest.raises(Different, match=said) as stop:
        pull.pull_locked()
    assert stop.value.code == 1
    assert not TO.exists()


def test_a_pinned_version_that_is_gone_is_named(remote: Known) -> None:
    pull.pull("tiny/1", TO)
    del remote.versions["1"]
    with pytest.raises(Different, match="tiny/1: the registry has no such version"):
        pull.pull_locked()


def test_a_bundle_that_was_damaged_here_is_brought_again(remote: Known) -> None:
    pull.pull("tiny/1", TO)
    (TO / "model.onnx").write_bytes(b"damaged")
    pull.pull_locked()
    assert hashing.of_bundle(TO) == pull.read(LOCK)["models/news"].digest


def test_files_that_are_not_what_was_registered_are_refused(remote: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    pull.pull("tiny/1", TO)
    remote.versions["2"].tags["digest"] = "promised.dir"
    with pytest.raises(Misconfigured, match="must not be trusted"):
        pull.pull("tiny/2", TO)
    assert (made(), pull.read(LOCK)["models/news"].version) == ("1", "1")


def test_a_statement_of_other_files_is_refused(remote: Known, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = [
        {"name": f"models/selected/{p.name}", "digest": {"sha256": hashing.of_file(p)}} for p in bundle.iterdir()
    ]
    remote.versions["1"].tags[statements.TAG] = "0" * 64
    monkeypatch.setattr(statements, "bring", lambda name, number: {"subject": subject})
    with pytest.raises(Misconfigured, match=r"its statement has other digests for bundle\.json"):
        pull.pull("tiny/1", TO)
    assert not TO.exists()


def test_another_version_takes_the_place_in_one_step_and_readers_keep_the_old_one(remote: Known) -> None:
    pull.pull("tiny/1", TO)
    old = TO.resolve()
    pull.pull("tiny/2", TO)
    assert made() == "2"
    assert (old / "model.onnx").exists()
    pull.pull("tiny/1", TO)
    assert made() == "1"
    assert len(list(TO.parent.glob(".news.*"))) == 2


def test_a_folder_that_somebody_made_is_left_alone(remote: Known) -> None:
    TO.mkdir(parents=True)
    (TO / "notes.txt").write_text("mine")
    with pytest.raises(Misconfigured, match="no link that `gazette pull` made"):
        pull.pull("tiny/1", TO)
    assert (TO / "notes.txt").read_text() == "mine"


def test_a_file_that_is_no_lock_is_refused(remote: Known) -> None:
    LOCK.write_text("{}")
    with pytest.raises(Misconfigured, match="no lock of Gazette's"):
        pull.pull_locked()


@pytest.mark.slow
def test_the_consuming_side_needs_neither_dvc_nor_what_trains() -> None:
    code = "import sys; from gazette.serving import pull; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"dvc", "tensorflow", "keras", "great_expectations", "prefect", "tf2onnx", "pandera"}
    assert not heavy & set(done.stdout.split())
