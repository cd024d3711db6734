"""Real clients: MLflow's own, and its own server's answers for the same version; Triton's, if it is installed."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import Server
from starlette.testclient import TestClient

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(registry: tuple[Path, Any]) -> Iterator[Server]:
    server = Server(registry[0], "tiny")
    yield server
    server.end()


@pytest.fixture(scope="module")
def theirs(registry: tuple[Path, Any]) -> Iterator[TestClient]:
    """MLflow's own server of the champion."""
    import mlflow
    from mlflow.pyfunc import scoring_server

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{registry[0]}/mlflow.db")
        mlflow.set_tracking_uri(f"sqlite:///{registry[0]}/mlflow.db")
        with TestClient(scoring_server.init(mlflow.pyfunc.load_model("models:/tiny@champion"))) as client:
            yield client


@pytest.mark.parametrize(
    "record",
    [
        {"inputs": ["goal", "bank", "", "nothing known", "\u592e\u884c"]},
        {"inputs": ["goal"], "params": {"a": 1}},
        {"inputs": [1]},
        {"inputs": [None]},
        {"inputs": []},
        {"inputs": 5},
        {},
        {"inputs": ["goal"], "instances": ["goal"]},
    ],
)
def test_whatever_mlflow_answers_is_answered_the_same(
    server: Server, theirs: TestClient, record: dict[str, Any]
) -> None:
    expected = theirs.post("/invocations", json=record)
    status, answer, _ = server.ask("/invocations", record)
    if expected.status_code == 200:
        assert (status, answer) == (200, expected.json())
    else:
        assert expected.status_code == 400 and status in (400, 422)


@pytest.mark.parametrize(
    "record",
    [
        {"instances": ["goal", "bank"]},
        {"instances": [{"text": "goal"}, {"text": "bank"}]},
        {"dataframe_split": {"columns": ["text"], "data": [["goal"], ["bank"]]}},
        {"dataframe_records": [{"text": "goal"}, {"text": "bank"}]},
    ],
)
def test_what_mlflow_refuses_for_its_type_hints_is_answered_as_inputs(
    server: Server, theirs: TestClient, record: dict[str, Any]
) -> None:
    assert theirs.post("/invocations", json=record).status_code == 400
    expected = theirs.post("/invocations", json={"inputs": ["goal", "bank"]}).json()
    assert server.ask("/invocations", record)[:2] == (200, expected)


def test_mlflows_client_gets_labels(server: Server, theirs: TestClient) -> None:
    import pandas as pd
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    host, port = server.address.removeprefix("http://").split(":")
    client = ScoringServerClient(host, int(port))
    client.ping()
    client.wait_server_ready(timeout=5)
    assert client.get_version() == theirs.get("/version").text
    for data in (["goal", "bank"], pd.DataFrame({"text": ["goal", "bank"]})):
        predictions = client.invoke(data).get_predictions()
        assert list(predictions["label"]) == ["sport", "trade"]


def test_tritons_client_gets_labels(server: Server) -> None:
    http = pytest.importorskip("tritonclient.http", reason="it needs another ml-dtypes than TensorFlow")
    import numpy as np

    with http.InferenceServerClient(server.address.removeprefix("http://")) as client:
        assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("tiny")
        assert client.get_model_metadata("tiny")["inputs"][0]["datatype"] == "BYTES"
        tensor = http.InferInput("text", [2], "BYTES")
        tensor.set_data_from_numpy(np.array(["goal", "bank"], object), binary_data=False)
        result = client.infer("tiny", [tensor], model_version="1")
        assert [bytes(label) for label in result.as_numpy("label")] == [b"sport", b"trade"]
        assert result.as_numpy("probabilities").shape == (2, 2)
