"""With a real MLflow on a database of its own."""

import json
import shutil
from pathlib import Path
from typing import Any

import mlflow
import pytest
import registry_databases

pytestmark = pytest.mark.slow

RUN: dict[str, Any] = {"experiment": "tiny", "name": "linear", "metrics": {"accuracy": 0.5}, "files": []}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry_databases.prepare(tmp_path / "registry.db"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from gazette.registry.store import client as registry

    return registry.connect()


def logged(bundle: Path, digest: str) -> Any:
    from gazette.registry.store import client as registry

    candidate = registry.Candidate("linear", {"l2": 0.1}, [{"epoch": 1.0, "valid_loss": 0.7}], {"macro_f1": 0.5})
    run = registry.Run(candidates=[candidate], tags={"digest": digest}, examples=["goal and bank"], **RUN)
    return registry.log_run(run, bundle)


def test_two_that_register_one_bundle_at_once_end_with_one_version(client: Any, bundle: Path) -> None:
    from gazette.registry.store import client as registry

    model = logged(bundle, "abc")
    numbers = [registry.create_version(client, "tiny", model, {"digest": "abc"}, "about") for _ in range(2)]
    assert numbers == ["1", "1"]
    assert [version.version for version in client.search_model_versions("name = 'tiny'")] == [1]
    registered = registry.get_model(client, "tiny")
    version = registered.find_digest("abc")
    assert version and (version.name, version.number, version.run) == ("tiny", "1", model.run_id)
    assert registered.find_digest("other") is None


def test_a_database_that_is_restored_in_its_place_answers_again(client: Any, tmp_path: Path) -> None:
    from prefect_dvc.core.errors import ConfigError

    from gazette.registry.store import client as registry

    client.create_registered_model("tiny")
    database = tmp_path / "registry.db"
    content = database.read_bytes()
    database.write_bytes(b"")  # as `cp` does, before it writes
    with pytest.raises(ConfigError, match="no such table"):
        registry.find_version(client, "tiny", "champion", None)
    database.write_bytes(content)
    assert registry.find_version(client, "tiny", "champion", None) is None


def test_a_run_tells_of_every_candidate(client: Any, bundle: Path) -> None:
    model = logged(bundle, "abc")
    runs = client.search_runs([client.get_experiment_by_name("tiny").experiment_id])
    nested = next(run for run in runs if run.info.run_id != model.run_id)
    assert nested.data.params == {"l2": "0.1"}
    assert nested.data.metrics == {"valid_loss": 0.7, "valid_macro_f1": 0.5}
    assert client.get_run(model.run_id).data.metrics == {"accuracy": 0.5}


def test_figures_are_tied_to_the_split_that_they_are_of(client: Any, bundle: Path) -> None:
    """On the run, on the candidate's and on the model, MLflow names each split by the hash that DVC has for it."""
    from gazette.registry.store import client as registry
    from gazette.registry.store.runs import Split

    splits = [Split(name, f"data/clean/{name}.parquet", letter * 32) for name, letter in
              (("train", "a"), ("valid", "b"))]  # fmt: skip
    splits.append(Split("test", "data/clean/test.parquet", "c" * 32, 443))
    candidate = registry.Candidate("linear", {}, [], {"macro_f1": 0.5})
    run = registry.Run(candidates=[candidate], tags={}, examples=["goal"], splits=splits, **RUN)
    model = registry.log_run(run, bundle)
    inputs = {entry.tags[0].value: entry.dataset for entry in client.get_run(model.run_id).inputs.dataset_inputs}
    assert {context: entry.digest[0] for context, entry in inputs.items()} == {
        "training": "a", "validation": "b", "testing": "c",
    }  # fmt: skip
    test = inputs["testing"]
    assert (test.name, json.loads(test.profile)) == ("test", {"num_rows": 443})
    tags = {"dvc.path": "data/clean/test.parquet", "dvc.md5": "c" * 32}
    assert mlflow.data.get_source(test).to_dict() == {"tags": tags}
    (metric,) = client.get_logged_model(model.model_id).metrics
    assert (metric.key, metric.value, metric.dataset_name, metric.dataset_digest) == ("accuracy", 0.5, "test", "c" * 32)
    runs = client.search_runs([client.get_experiment_by_name("tiny").experiment_id])
    nested = next(run for run in runs if run.info.run_id != model.run_id)
    assert {entry.dataset.name for entry in nested.inputs.dataset_inputs} == {"train", "valid"}


def test_a_model_says_what_it_takes_and_shows_an_example(client: Any, bundle: Path) -> None:
    model = logged(bundle, "abc")
    assert model.signature.inputs.to_dict() == [{"type": "string", "required": True}]
    assert "probability" in str(model.signature.outputs)
    assert model.saved_input_example_info is not None


def test_the_first_version_registered_from_a_tree_has_its_files_in_the_project(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gazette.registry.store import client as registry

    tree = tmp_path / "project" / ".dvc" / "tmp" / "prefect-dvc" / "retrain-x" / "retrain-x"
    tree.mkdir(parents=True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tree)
    client = registry.connect()
    registry.create_version(client, "tiny", logged(bundle, "abc"), {"digest": "abc"}, "about")
    places = [str(experiment.artifact_location) for experiment in client.search_experiments()]
    assert sorted(places) == [f"{tmp_path}/project/mlruns/{number}" for number in range(2)]
    assert not list(tree.iterdir())
    shutil.rmtree(tree)
    assert (registry.download("tiny/1", tmp_path / "to") / "bundle.json").exists()


@pytest.mark.parametrize(
    ("name", "experiment"),  # MLflow names a folder by the number; ours, where it would misread `%`, has the name
    [("feature%2Fx %41", "tiny"), ("O'Brien's \"news\"", "1"), ("新闻'%2F", "tiny")],
)
def test_a_project_whose_path_has_an_escape_or_a_quote_registers_its_files_in_it(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch, name: str, experiment: str
) -> None:
    from gazette.registry.store import client as registry

    project = tmp_path / name
    project.mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.chdir(project)
    client = registry.connect()
    model = logged(bundle, "abc")
    assert [registry.create_version(client, "tiny", model, {"digest": "abc"}, "about") for _ in range(2)] == ["1", "1"]
    assert (registry.download("tiny/1", tmp_path / "to") / "bundle.json").exists()
    assert len(list(project.glob(f"mlruns/{experiment}/models/*/artifacts/MLmodel"))) == 1
    assert not (tmp_path / "feature").exists()


def test_a_version_whose_files_are_gone_is_registered_again(client: Any, bundle: Path, tmp_path: Path) -> None:
    from gazette.registry.store import client as registry

    for number in ("1", "2"):
        assert registry.deduplicate(client, "tiny", "abc") is None
        assert registry.create_version(client, "tiny", logged(bundle, "abc"), {"digest": "abc"}, "about") == number
        if number == "1":
            shutil.rmtree(tmp_path / "mlruns")
    assert [version.version for version in client.search_model_versions("name = 'tiny'")] == [2]


def test_a_version_with_an_alias_is_never_deleted_for_having_the_same_bundle(client: Any, bundle: Path) -> None:
    from gazette.registry.store import client as registry

    model = logged(bundle, "abc")
    client.create_registered_model("tiny")
    for _ in range(3):
        client.create_model_version("tiny", model.model_uri, model_id=model.model_id, tags={"digest": "abc"})
    client.set_registered_model_alias("tiny", "mine", "3")
    assert registry.deduplicate(client, "tiny", "abc") == "1"
    assert sorted(version.version for version in client.search_model_versions("name = 'tiny'")) == [1, 3]
