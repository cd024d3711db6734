"""With a real MLflow on a database of its own."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

RUN: dict[str, Any] = {"experiment": "tiny", "name": "linear", "metrics": {"accuracy": 0.5}, "files": []}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/registry.db")
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


def test_a_run_tells_of_every_candidate(client: Any, bundle: Path) -> None:
    model = logged(bundle, "abc")
    runs = client.search_runs([client.get_experiment_by_name("tiny").experiment_id])
    nested = next(run for run in runs if run.info.run_id != model.run_id)
    assert nested.data.params == {"l2": "0.1"}
    assert nested.data.metrics == {"valid_loss": 0.7, "valid_macro_f1": 0.5}
    assert client.get_run(model.run_id).data.metrics == {"accuracy": 0.5}


def test_a_model_says_what_it_takes_and_shows_an_example(client: Any, bundle: Path) -> None:
    model = logged(bundle, "abc")
    assert model.signature.inputs.to_dict() == [{"type": "string", "required": True}]
    assert "probability" in str(model.signature.outputs)
    assert model.saved_input_example_info is not None
