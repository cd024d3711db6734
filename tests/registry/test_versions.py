"""Which classifier somebody means."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gazette.core.errors import Misconfigured
from gazette.pipeline import hashing
from gazette.registry import versions


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


@pytest.fixture
def registered(project: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A registry with versions 1 and 2 of `tiny`, 2 its challenger; what was downloaded."""
    from gazette.registry.store import client as registry

    tags = {"digest": hashing.of_bundle(bundle), registry.TRAINED_ON: '{"sport": 3}'}
    known = registry.Known({n: registry.Version(n, tags) for n in ("1", "2")}, {"challenger": "2"})
    brought = []

    def download(version: str, to: Path) -> Path:
        brought.append(version)
        return Path(shutil.copytree(bundle, to / "artifacts" / "selected"))

    (project / "mlflow.db").touch()
    monkeypatch.setattr(registry, "connect", lambda: None)
    monkeypatch.setattr(registry, "known", lambda _, name: known if name == "tiny" else registry.Known({}, {}))
    monkeypatch.setattr(registry, "download", download)
    return brought


def test_a_folder_with_a_bundle_is_one(bundle: Path) -> None:
    found = versions.find(str(bundle))
    assert (found.folder, found.name, found.trained_on) == (bundle, None, None)
    assert found.digest == hashing.of_bundle(bundle)


@pytest.mark.parametrize("asked", ["tiny@challenger", "tiny/2"])
def test_a_version_is_downloaded_once(registered: list[str], asked: str) -> None:
    for _ in range(2):
        found = versions.find(asked)
        assert (found.name, found.version, found.trained_on) == ("tiny", "2", {"sport": 3})
        assert hashing.of_bundle(found.folder) == found.digest
    assert registered == ["tiny/2"]


def test_a_downloaded_bundle_that_was_damaged_is_downloaded_again(registered: list[str]) -> None:
    (versions.find("tiny/1").folder / "model.onnx").write_bytes(b"damaged")
    versions.find("tiny/1")
    assert registered == ["tiny/1", "tiny/1"]


def test_a_version_that_is_not_what_was_registered_is_refused(registered: list[str], bundle: Path) -> None:
    (bundle / "model.onnx").write_bytes(b"another")
    with pytest.raises(Misconfigured, match="changed afterwards and must not be trusted"):
        versions.find("tiny/1")
    assert not list(Path(".gazette/bundles").iterdir())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("tiny", r"tiny: the registry has no such version; there is tiny@challenger \(version 2\): say which"),
        ("tiny@champion", r"no such version; there is tiny@challenger"),
        ("tiny/9", r"no such version; there is tiny@challenger"),
        ("other", "the registry knows no other"),
        ("a b", "holds no bundle; give NAME@ALIAS, NAME/VERSION or a folder"),
        (".", "holds no bundle"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(registered: list[str], asked: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        versions.find(asked)


def test_without_a_registry_none_is_made(project: Path) -> None:
    with pytest.raises(Misconfigured, match=r"no registry here to ask for tiny@champion \(mlflow.db\)"):
        versions.find("tiny@champion")
    assert not (project / "mlflow.db").exists()


@pytest.mark.slow
def test_a_real_registry_gives_back_what_was_registered(
    project: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/registry.db")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from gazette.registry.store import client as registry

    client = registry.connect()
    about: dict[str, Any] = {"experiment": "tiny", "name": "linear", "metrics": {}, "files": [], "candidates": []}
    tags = {"digest": hashing.of_bundle(bundle)}
    logged = registry.log(registry.Run(tags=tags, examples=["goal"], **about), bundle)
    number = registry.register(client, "tiny", logged, tags, "about")
    registry.challenge(client, "tiny", number)
    assert versions.find("tiny@challenger").trained_on is None
    registry.note_training(client, "tiny", number, {"sport": 3, "体育": 4})
    found = versions.find("tiny@challenger")
    assert (found.version, found.trained_on) == ("1", {"sport": 3, "体育": 4})
    assert json.loads((found.folder / "bundle.json").read_text())["labels"] == ["sport", "trade"]
