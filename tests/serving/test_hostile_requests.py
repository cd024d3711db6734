"""Requests that no honest client sends: no 500, no traceback, no text in the log."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from workers import served_by

from gazette.serving.online import log
from gazette.serving.online.engine import Model
from gazette.serving.online.v1 import EXPLAINED
from gazette.serving.online.worker import Worker

TENSOR = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["goal"]}


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, object]]]:
    """Reads the log since it was last read."""
    return lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]


def infer(**tensor: object) -> str:
    return json.dumps({"inputs": [TENSOR | tensor]})


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/predict", '{"texts": ["a"], "min_confidence": NaN}', 422),
        ("/v1/predict", '{"texts": ["a"], "top": 1e300}', 422),
        ("/v1/predict", '{"texts": ["a"], "top": ' + "9" * 4000 + "}", 200),
        ("/v1/predict", '{"texts": ["a"], "top": ' + "9" * 5000 + "}", 400),
        ("/v1/predict", '{"texts": ["", " \\n", "\\u0000", "\\u202e\\uffff"], "explain": true}', 200),
        ("/v1/predict", '{"texts": ["\\ud83d\\ude00"], "explain": true}', 200),
        ("/v1/predict", json.dumps({"texts": ["a"] * (EXPLAINED + 1), "explain": True}), 422),
        ("/v1/predict", '{"texts":["a"]}'.encode("utf-16"), 400),
        ("/v1/feedback", '{"text": "a", "label": "\\ud800"}', 400),
        ("/invocations", '{"inputs": ["\\ud800"]}', 422),
        ("/invocations", '{"inputs": [NaN]}', 422),
        ("/invocations", '{"inputs": ' + "9" * 5000 + "}", 400),
        ("/invocations", '{"inputs": ' + "[" * 100_000, 400),
        ("/v2/models/tiny/infer", infer(shape=[10**4000] * 3), 422),
        ("/v2/models/tiny/infer", infer(shape=[-1, -1]), 422),
        ("/v2/models/tiny/infer", infer(data=[["goal"], "bank"], shape=[2]), 422),
        ("/v2/models/tiny/infer", infer(datatype=[]), 422),
        ("/v2/models/tiny/infer", json.dumps({"id": "\ud800", "inputs": [TENSOR]}), 200),
        ("/v2/models/tiny/infer", json.dumps({"id": {"a": 1}, "inputs": [TENSOR]}), 200),
        ("/v2/models/tiny/infer", json.dumps({"outputs": [{"name": ["x"]}, 1], "inputs": [TENSOR]}), 422),
    ],
)
def test_a_body_gets_an_answer_in_json(worker: Worker, path: str, body: str | bytes, status: int) -> None:
    with served_by(worker) as client:
        response = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == status, response.text
    assert isinstance(response.json(), dict)


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"Content-Length": "-1"}, 200, ""),
        ({"Content-Length": "9" * 5000}, 413, "1048576 bytes"),
        ({"Content-Encoding": "gzip"}, 415, "not compressed"),
        ({"Content-Encoding": ""}, 200, ""),
        ({"X-Request-Id": "a b"}, 200, ""),
        ({"Authorization": "Bearer \xff"}, 200, ""),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "another site"),
        ({"traceparent": "00-\xff"}, 200, ""),
    ],
)  # fmt: skip
def test_a_header_cannot_break_a_request(worker: Worker, headers: dict[str, str], status: int, reason: str) -> None:
    with served_by(worker) as client:
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        response = client.post("/v1/predict", content=b'{"texts": ["goal"]}', headers=raw)
    assert response.status_code == status and reason in response.text
    assert " " not in response.headers["x-request-id"]


def test_a_body_may_have_a_byte_order_mark_and_is_otherwise_utf_8(worker: Worker) -> None:
    with served_by(worker) as client:
        marked = client.post("/v1/predict", content=b'\xef\xbb\xbf{"texts": ["goal"]}')
        latin = client.post("/v1/predict", content=b'{"texts": ["caf\xe9"]}')
    assert marked.status_code == 200 and marked.json()["predictions"][0]["label"] == "sport"
    assert latin.status_code == 400 and latin.json()["detail"].startswith("expected a JSON object in UTF-8: ")


def test_the_name_of_a_folder_need_not_be_ascii(worker: Worker) -> None:
    worker.main.model = Model.load(replace(worker.main.model.served, name="新闻 1"))
    with served_by(worker) as client:
        response = client.post("/v1/predict", json={"texts": ["goal"]})
    assert response.status_code == 200 and response.json()["model"]["name"] == "新闻 1"
    assert response.headers["gazette-model"] == "%E6%96%B0%E9%97%BB%201"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_another_method_is_told_which_is_allowed(worker: Worker, method: str) -> None:
    with served_by(worker) as client:
        response = client.request(method, "/v1/predict")
        assert response.status_code == 405 and response.headers["allow"] == "POST" and response.json()["detail"]
        assert client.head("/health/ready").status_code == 200
        assert client.post("/v1/predict/", json={}, follow_redirects=False).status_code == 404


def test_binary_tensors_are_refused_with_what_to_do(worker: Worker) -> None:
    with served_by(worker) as client:
        headers = {"Inference-Header-Content-Length": "12"}
        response = client.post("/v2/models/tiny/infer", content=b"{}", headers=headers)
    assert response.status_code == 415 and "binary_data=False" in response.json()["error"]


def fail(*_: object) -> None:
    raise ValueError("unmistakable")


def test_an_error_of_ours_is_500_in_json_and_a_line_of_its_kind_without_the_text(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, lines: Callable[[], list[dict[str, object]]]
) -> None:
    monkeypatch.setattr(worker.main.model.bundle, "encode", fail)
    with served_by(worker) as client:
        response = client.post("/v1/predict", json={"texts": ["goal"]})
        assert response.status_code == 500 and "internal error" in response.json()["detail"]
        error, request = lines()
        assert (error["event"], error["kind"]) == ("error", "ValueError") and "test_hostile" in str(error["where"])
        assert error["request_id"] == request["request_id"] == response.headers["x-request-id"]
        assert "unmistakable" not in json.dumps(error)
        monkeypatch.undo()
        assert client.post("/v1/predict", json={"texts": ["goal"]}).status_code == 200


def test_a_text_that_breaks_the_model_breaks_no_other_request(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    class Panic(BaseException):
        """As the tokenizers' own, which is no Exception."""

    real = worker.main.model.bundle.encode

    def encode(texts: list[str]) -> object:
        if "poison" in texts:
            raise Panic
        return real(texts)

    monkeypatch.setattr(worker.main.model.bundle, "encode", encode)

    async def ask() -> list[object]:
        texts = (["goal"], ["poison"], ["bank"])
        return await asyncio.gather(*(worker.main.answer(text) for text in texts), return_exceptions=True)

    first, second, third = asyncio.run(ask())
    assert type(second).__name__ == "InferenceError"
    assert [result.model for result in (first, third)] == [worker.main.model] * 2  # type: ignore[attr-defined]


def test_a_correction_that_cannot_be_written_is_503(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "feedback").write_text("no folder")
    with served_by(worker) as client:
        response = client.post("/v1/feedback", json={"text": "goal", "label": "trade"})
    assert response.status_code == 503 and "not written" in response.json()["detail"]


def test_warnings_of_libraries_are_lines_without_what_they_quote(lines: Callable[[], list[dict[str, object]]]) -> None:
    before = logging.getLogger().handlers[:]
    try:
        log.capture()
        logging.getLogger("uvicorn.error").warning("bad header %s", "unmistakable")
    finally:
        logging.basicConfig(handlers=before, force=True)
    (line,) = lines()
    assert (line["event"], line["logger"], line["message"]) == ("warning", "uvicorn.error", "bad header %s")


def test_a_log_that_nobody_reads_costs_no_request(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(descriptor: int, line: bytes) -> int:
        raise BrokenPipeError

    monkeypatch.setattr("gazette.serving.online.log.os.write", write)
    with served_by(worker) as client:
        assert client.post("/v1/predict", json={"texts": ["goal"]}).status_code == 200
