"""A worker's answers, without a server: every contract over a small bundle."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from prefect_dvc.core.errors import ConfigError
from starlette.testclient import TestClient
from workers import make_worker, served_by

from gazette.core import articles
from gazette.serving.online import access
from gazette.serving.online.settings import Limits
from gazette.serving.online.worker import Worker


@pytest.fixture
def client(worker: Worker) -> Iterator[TestClient]:
    with served_by(worker) as client:
        yield client


def predict(client: TestClient, *texts: str, **fields: object) -> dict[str, object]:
    response = client.post("/v1/predict", json={"texts": list(texts), **fields})
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_an_answer_has_a_prediction_for_each_text_and_says_who_made_it(client: TestClient) -> None:
    response = client.post("/v1/predict", json={"texts": ["goal goal", "bank"]}, headers={"X-Request-Id": "r-1"})
    record = response.json()
    assert [prediction["label"] for prediction in record["predictions"]] == ["sport", "trade"]
    assert record["request_id"] == response.headers["x-request-id"] == "r-1"
    assert record["model"]["version"] == response.headers["gazette-version"] == "3"
    assert record["model"]["digest"] == response.headers["gazette-digest"]
    assert record["model"]["ledger"] == response.headers["gazette-ledger"] == "f" * 64


def test_top_says_how_many_labels_the_most_probable_first(client: TestClient) -> None:
    (prediction,) = predict(client, "goal", top=9)["predictions"]  # type: ignore[misc]
    assert [entry["label"] for entry in prediction["labels"]] == ["sport", "trade"]
    assert sum(entry["probability"] for entry in prediction["labels"]) == pytest.approx(1, abs=1e-5)


def test_below_min_confidence_it_abstains_and_says_so(client: TestClient) -> None:
    sure, unsure = predict(client, "goal goal goal", "nothing known", min_confidence=0.9)["predictions"]  # type: ignore[misc]
    assert (sure["label"], sure["abstained"]) == ("sport", False)
    assert (unsure["label"], unsure["abstained"], unsure["probability"]) == (None, True, 0.5)


def test_an_explanation_points_at_characters_of_the_text(client: TestClient) -> None:
    text = "a goal, at the bank"
    (prediction,) = predict(client, text, explain=True)["predictions"]  # type: ignore[misc]
    words = {text[word["start"] : word["end"]]: word["scores"] for word in prediction["explanation"]["words"]}
    assert words["goal"]["sport"] > 0.5 and words["bank"]["sport"] < -0.5 and abs(words["the"]["sport"]) < 1e-6


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "JSON"),
        (b"\xff\xfe{", 400, ""),
        (b"[" * 100_000, 400, ""),
        (b"[]", 422, "object"),
        (b'{"texts": []}', 422, "texts"),
        (b'{"texts": "goal"}', 422, "texts"),
        (b'{"texts": [1]}', 422, "texts.0"),
        (b'{"texts": ["\\ud800"]}', 400, "hex escape"),
        (b'{"texts": ["a"], "tops": 1}', 422, "tops"),
        (b'{"texts": ["a"], "top": 0}', 422, "top"),
        (b'{"texts": ["a"], "min_confidence": 2}', 422, "min_confidence"),
        (json.dumps({"texts": ["a"] * 257}).encode(), 422, "257 texts; at most 256"),
        (json.dumps({"texts": ["a" * 100_001]}).encode(), 422, "100001 characters; at most 100000"),
        (b" " * ((1 << 20) + 1), 413, "1048576 bytes"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_answered_is_told_why_with_the_number(
    client: TestClient, body: bytes, status: int, message: str
) -> None:
    response = client.post("/v1/predict", content=body)
    assert response.status_code == status, response.text
    assert message in response.json()["detail"]


@pytest.mark.parametrize(
    "record",
    [
        {"inputs": ["goal", "bank"]},
        {"instances": ["goal", "bank"]},
        {"instances": [{"text": "goal"}, {"text": "bank"}]},
        {"dataframe_split": {"columns": ["text"], "data": [["goal"], ["bank"]]}},
        {"dataframe_records": [{"text": "goal"}, {"text": "bank"}]},
    ],
)
def test_invocations_takes_the_four_shapes_of_mlflow(client: TestClient, record: dict[str, object]) -> None:
    response = client.post("/invocations", json=record)
    assert [answer["label"] for answer in response.json()["predictions"]] == ["sport", "trade"], response.text
    assert response.headers["gazette-version"] == "3"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 400),
        (b'{"dataframe_records": [], "instances": ["a"]}', "application/json", 400),
        (b"text\ngoal\n", "text/csv", 415),
        (b'{"inputs": ["a"]}', "application/json; charset=latin-1", 415),
        (b'{"inputs": [["a", "b"]]}', "application/json", 422),
        (b'{"dataframe_split": {"data": [["a", "b"]]}}', "application/json", 400),
        (b'{"dataframe_records": [{"a": "x", "b": "y"}]}', "application/json", 400),
    ],
)
def test_invocations_refuses_what_is_no_list_of_texts(
    client: TestClient, content: bytes, kind: str, status: int
) -> None:
    response = client.post("/invocations", content=content, headers={"Content-Type": kind})
    assert response.status_code == status and response.json()["message"]


def test_the_inference_protocol_names_labels_and_probabilities(client: TestClient) -> None:
    tensor = {"name": "text", "shape": [2, 1], "datatype": "BYTES", "data": [["goal"], ["bank"]]}
    for place in ("/v2/models/tiny", "/v2/models/tiny/versions/3"):
        record = client.post(f"{place}/infer", json={"id": "7", "inputs": [tensor]}).json()
        assert (record["model_name"], record["model_version"], record["id"]) == ("tiny", "3", "7")
        outputs = {output["name"]: output for output in record["outputs"]}
        assert outputs["label"]["data"] == ["sport", "trade"]
        assert outputs["probabilities"]["shape"] == [2, 2] and len(outputs["probabilities"]["data"]) == 4
        assert client.get(place).json()["parameters"]["labels"] == ["sport", "trade"]
        assert client.get(f"{place}/ready").json()["ready"] is True
    assert client.get("/v2").json()["name"] == "gazette"
    assert client.post("/v2/models/tiny/versions/2/infer", json={"inputs": [tensor]}).status_code == 404
    assert client.get("/v2/models/huge").json()["error"] == "this server has tiny, version 3"
    wrong = client.post("/v2/models/tiny/infer", json={"inputs": [tensor | {"shape": [3]}]})
    assert wrong.status_code == 422 and "a shape of 2 elements" in wrong.json()["error"]


def test_a_correction_is_one_line_of_the_feedback_folder(client: TestClient, tmp_path: Path) -> None:
    answer = client.post("/v1/feedback", json={"text": "goal", "label": "trade"})
    assert answer.status_code == 200 and answer.json()["predicted"] == "sport"
    (file,) = (tmp_path / "feedback").iterdir()
    record = json.loads(file.read_text())
    assert (record["text"], record["label"], record["how"], record["who"]) == (
        "goal",
        "trade",
        "volunteered",
        "anonymous",
    )
    refused = client.post("/v1/feedback", json={"text": "goal", "label": "weather"})
    assert refused.status_code == 422 and "none of sport, trade" in refused.json()["detail"]
    assert len(file.read_text().splitlines()) == 1


@pytest.mark.parametrize("text", ["!", " \n.,", "€ + $", "\ufffd", "goal\0", "é", "٣", "球", "😀", "x"])
def test_feedback_is_taken_if_a_corpus_could_have_its_text(client: TestClient, text: str) -> None:
    row = pl.DataFrame({"text": [text], "label": ["trade"], "split": ["train"], "file": ["f"], "line": [1]})
    is_valid = articles.split_invalid(row, ["trade"])[0].height == 1
    response = client.post("/v1/feedback", json={"text": text, "label": "trade"})
    assert response.status_code == (200 if is_valid else 422), response.text


def test_only_a_token_that_the_server_knows_may_ask(tmp_path: Path, bundle: Path) -> None:
    known = hashlib.sha256(b"secret").hexdigest()
    worker = make_worker(tmp_path, bundle, tokens=(known,))
    with served_by(worker) as client:
        for header in ({}, {"Authorization": "Bearer guess"}, {"Authorization": f"Bearer {known}"}):
            refused = client.post("/v1/predict", json={"texts": ["goal"]}, headers=header)
            assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
        right = client.post("/v1/predict", json={"texts": ["goal"]}, headers={"Authorization": "Bearer secret"})
        assert right.status_code == 200
        assert client.get("/metrics").status_code == 401
        assert client.get("/health/ready").status_code == client.get("/").status_code == 200


def test_a_caller_beyond_its_rate_is_told_when_to_come_back(tmp_path: Path, bundle: Path) -> None:
    worker = make_worker(tmp_path, bundle, limits=Limits(requests_per_second=2))
    with served_by(worker) as client:
        answers = [client.post("/v1/predict", json={"texts": ["goal"]}) for _ in range(5)]
    assert [answer.status_code for answer in answers][:2] == [200, 200] and answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_no_text_is_logged_and_every_line_says_who_spoke(client: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    predict(client, "goal unmistakable")
    client.post("/v1/predict", content=b'{"texts": ["unmistakable", 1]}')
    client.get("/unmistakable")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    assert [line["status"] for line in lines] == [200, 422, 404]
    assert lines[0]["version"] == "3" and lines[0]["texts"] == 1 and lines[0]["request_id"]
    assert "unmistakable" not in json.dumps(lines)


def test_the_page_asks_nobody_else(client: TestClient) -> None:
    page = client.get("/")
    assert (
        page.headers["content-type"].startswith("text/html")
        and "connect-src 'self'" in page.headers["content-security-policy"]
    )
    assert not re.findall(r"(?:src|href)=\"(?!data:)[^\"#]", page.text) and "http" not in page.text.replace(
        "http-equiv", ""
    )


def test_tokens_are_read_as_sha256sum_prints_them(tmp_path: Path) -> None:
    first, second = "a" * 64, "b" * 64
    (tmp_path / "tokens").write_text(f"{first}  -\n\n{second}\n")
    assert access.read_token_file(tmp_path / "tokens") == (first, second)
    assert access.read_tokens(f"{first},{second}", "GAZETTE_TOKENS") == (first, second)
    (tmp_path / "tokens").write_text(f"{first}\n", encoding="utf-8-sig")
    assert access.read_token_file(tmp_path / "tokens") == (first,)
    (tmp_path / "tokens").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="64 hexadecimal digits"):
        access.read_token_file(tmp_path / "tokens")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "https://public.example", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_page_of_another_site_may_not_ask(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.post("/v1/predict", json={"texts": ["goal"]}, headers=headers).status_code == status


def test_an_error_before_the_route_has_the_key_of_its_contract(client: TestClient) -> None:
    assert "error" in client.get("/v2/nothing").json() and "detail" in client.get("/nothing").json()
    assert "message" in client.put("/invocations").json()
