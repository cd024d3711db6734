"""MLflow's contract: `POST /invocations` in its four shapes of input, `/ping`, `/health` and `/version`.

The answer is that of MLflow's own server for the same version, byte for byte. That server takes `inputs` alone from a
version with type hints; the three other shapes are read as it reads them for a version without.
"""

import json
from contextlib import suppress
from importlib import metadata
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gazette.serving.online import responses
from gazette.serving.online.body import RequestError, check_texts, parse_json, read_body
from gazette.serving.online.engine import Result
from gazette.serving.online.worker import Worker

SHAPES = ("inputs", "instances", "dataframe_split", "dataframe_records")


def routes(worker: Worker) -> list[Route]:
    """Return the routes."""

    async def invocations(request: Request) -> Response:
        try:
            _check_content_type(request.headers.get("content-type", ""))
            texts = read_texts(parse_json(await read_body(request, worker.settings.limits)))
            texts = list(check_texts(texts, worker.settings.limits, least=0))
            result = await worker.answer(texts, request.scope["state"]["request_id"])
        except responses.EXPECTED as error:
            return responses.failure(error, "message")
        content = json.dumps({"predictions": predictions(result)}).encode()  # with MLflow's separators
        return responses.answer(request, result.model.served, content, len(texts))

    async def ping(request: Request) -> Response:
        return Response("\n", media_type="application/json")

    async def version(request: Request) -> Response:
        return Response(_version(), media_type="application/json")

    gets = {"/ping": ping, "/health": ping, "/version": version}
    return [
        Route("/invocations", invocations, methods=["POST"]),
        *(Route(path, route) for path, route in gets.items()),
    ]


def _version() -> str:
    """Return MLflow's version, as its clients expect it."""
    for package in ("mlflow", "mlflow-skinny"):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(package)
    return "0"


def _check_content_type(content_type: str) -> None:
    kind, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().partition("charset=")[2].strip('"')
    if kind.strip().lower() != "application/json" or charset not in ("", "utf-8"):
        raise RequestError(415, f"expected application/json in UTF-8, got {content_type!r}")


def read_texts(record: dict[str, Any]) -> Any:
    """Return the texts of a request in one of the shapes; raises RequestError (400) if there is none, or two.

    As MLflow does, `inputs` is read whatever else there is.
    """
    shapes = ["inputs"] if "inputs" in record else [shape for shape in SHAPES if shape in record]
    if len(shapes) != 1:
        raise RequestError(400, f"expected exactly one of {', '.join(SHAPES)}; got {', '.join(shapes) or 'none'}")
    value = record[shapes[0]]
    if shapes[0] == "dataframe_split":
        return _split_column(value)
    if shapes[0] == "inputs" and isinstance(value, str):
        return [value]
    if shapes[0] == "inputs" and isinstance(value, dict):
        return _only(value)
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return [_only(row) for row in value]
    return value


def _split_column(frame: Any) -> Any:
    rows = frame.get("data") if isinstance(frame, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 1 for row in rows):
        raise RequestError(400, "dataframe_split: expected `data` with rows of one column, the text")
    return [row[0] for row in rows]


def _only(columns: dict[str, Any]) -> Any:
    if len(columns) != 1:
        raise RequestError(400, f"expected one column, the text; got {len(columns)}")
    return next(iter(columns.values()))


def predictions(result: Result) -> list[dict[str, Any]]:
    """Return what `registry/store/pyfunc.py` returns for the same texts."""
    labels = result.model.bundle.labels
    return [
        {
            "label": labels[row.argmax()],
            "probability": float(row.max()),
            "probabilities": dict(zip(labels, row.tolist(), strict=True)),
        }
        for row in result.probabilities
    ]
