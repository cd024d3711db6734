"""Which classifier somebody means."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError
from registry_databases import prepare

from gazette.registry import versions
from gazette.registry.store.model import TRAINED_ON, RegisteredModel, RegisteredVersion, read_object


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


@pytest.fixture
def registered(project: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A registry with versions 1 and 2 of `tiny`, 2 its challenger; what was downloaded."""
    from gazette.registry.store import client as registry

    digest = hashing.dvc_hash(bundle)
    registered = {n: RegisteredVersion("tiny", n, digest, [], {TRAINED_ON: '{"sport": 3}'}, "") for n in ("1", "2")}
    known = RegisteredModel(registered, {"challenger": "2"})
    brought = []

    def download(version: str, to: Path) -> Path:
        brought.append(version)
        return Path(shutil.copytree(bundle, to / "artifacts" / "selected"))

    (project / "mlflow.db").touch()
    monkeypatch.setattr(registry, "connect", lambda: None)
    monkeypatch.setattr(registry, "get_model", lambda _, name: known if name == "tiny" else RegisteredModel({}, {}))
    monkeypatch.setattr(registry, "download", download)
    return brought


def test_a_folder_with_a_bundle_is_one(bundle: Path) -> None:
    model = versions.find_model(str(bundle))
    assert (model.folder, model.name, model.trained_on) == (bundle, None, None)
    assert model.digest == hashing.dvc_hash(bundle)


@pytest.mark.parametrize("reference", ["tiny@challenger", "tiny/2"])
def test_a_version_is_downloaded_once(registered: list[str], reference: str) -> None:
    for _ in range(2):
        model = versions.find_model(reference)
        assert (model.name, model.version, model.trained_on) == ("tiny", "2", {"sport": 3})
        assert hashing.dvc_hash(model.folder) == model.digest
    assert registered == ["tiny/2"]


def test_a_downloaded_bundle_that_was_damaged_is_downloaded_again(registered: list[str]) -> None:
    (versions.find_model("tiny/1").folder / "model.onnx").write_bytes(b"damaged")
    versions.find_model("tiny/1")
    assert registered == ["tiny/1", "tiny/1"]


def test_a_version_that_is_not_what_was_registered_is_refused(registered: list[str], bundle: Path) -> None:
    (bundle / "model.onnx").write_bytes(b"another")
    with pytest.raises(ConfigError, match="changed afterwards and must not be trusted"):
        versions.find_model("tiny/1")
    assert not list(Path(".gazette/bundles").iterdir())


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("tiny", r"tiny: the registry has no such version; there is tiny@challenger \(version 2\): choose one"),
        ("tiny@champion", r"no such version; there is tiny@challenger"),
        ("tiny/9", r"no such version; there is tiny@challenger"),
        ("other", "the registry has no other"),
        ("a b", "holds no bundle; give NAME@ALIAS, NAME/VERSION or a folder"),
        (".", "holds no bundle"),
    ],
)
def test_a_missing_version_is_refused_with_the_existing_ones(
    registered: list[str], reference: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        versions.find_model(reference)


def test_without_a_registry_none_is_made(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"tiny@champion: there is no registry here \(mlflow.db\)"):
        versions.find_model("tiny@champion")
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
    tags = {"digest": hashing.dvc_hash(bundle)}
    logged = registry.log_run(registry.Run(tags=tags, examples=["goal"], **about), bundle)
    number = registry.create_version(client, "tiny", logged, tags, "about")
    registry.set_alias(client, "tiny", registry.CHALLENGER, number)
    assert versions.find_model("tiny@challenger").trained_on is None
    registry.set_tags(client, "tiny", number, {TRAINED_ON: '{"sport": 3, "体育": 4}'})
    model = versions.find_model("tiny@challenger")
    assert (model.version, model.trained_on) == ("1", {"sport": 3, "体育": 4})
    assert json.loads((model.folder / "bundle.json").read_text())["labels"] == ["sport", "trade"]


def test_a_tag_that_was_edited_by_hand_is_named() -> None:
    assert read_object("tiny/2", {}, TRAINED_ON) is None
    for text in ("see the wiki", "3"):
        with pytest.raises(ConfigError, match=f"tiny/2: its tag trained_on in the registry is '{text}'; expected the"):
            read_object("tiny/2", {TRAINED_ON: text}, TRAINED_ON)


@pytest.mark.slow
def test_an_experiment_that_was_deleted_in_mlflow_comes_with_what_restores_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", prepare(project / "registry.db"))
    from gazette.registry.store import client as registry

    client = registry.connect()
    number = registry.open_experiment(client, "tiny")
    client.delete_experiment(number)
    with pytest.raises(ConfigError, match=f"tiny was deleted in MLflow; `mlflow experiments restore .*-id {number}`"):
        registry.open_experiment(client, "tiny")
