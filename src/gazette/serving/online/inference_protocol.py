"""The Open Inference Protocol, version 2, over HTTP with JSON; BYTES are JSON strings.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

import math
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gazette import __version__
from gazette.serving.online import responses
from gazette.serving.online.body import RequestError, check_texts, parse_json, read_body
from gazette.serving.online.engine import Result
from gazette.serving.online.responses import JsonResponse
from gazette.serving.online.roster import Served
from gazette.serving.online.worker import Worker

OUTPUTS = ("label", "probability", "probabilities")


def routes(worker: Worker) -> list[Route]:
    """Return the routes below `/v2`."""

    async def server(request: Request) -> Response:
        return JsonResponse({"name": "gazette", "version": __version__, "extensions": []})

    async def live(request: Request) -> Response:
        return JsonResponse({"live": True})

    async def ready(request: Request) -> Response:
        return JsonResponse({"ready": True})

    async def model(request: Request) -> Response:
        return missing(request) or JsonResponse(_describe(worker))

    async def model_ready(request: Request) -> Response:
        return missing(request) or JsonResponse({"name": request.path_params["name"], "ready": True})

    async def infer(request: Request) -> Response:
        if response := missing(request):
            return response
        try:
            if "inference-header-content-length" in request.headers:
                raise RequestError(415, "expected tensors in JSON (binary_data=False), got binary ones")
            record = parse_json(await read_body(request, worker.settings.limits))
            texts = list(check_texts(read_texts(record), worker.settings.limits))
            names = _read_names(record)
            number = request.path_params.get("version")
            result = await worker.answer(texts, request.scope["state"]["request_id"], canary=number is None)
        except responses.EXPECTED as error:
            return responses.failure(error, "error")
        if response := missing(request, result.model.served):  # the champion moved while the body came
            return response
        served = result.model.served
        answer = {
            "model_name": served.name,
            "model_version": served.version,
            "id": record["id"] if isinstance(record.get("id"), str) else request.scope["state"]["request_id"],
            "parameters": {"digest": served.digest, "ledger": served.ledger},
            "outputs": [output for output in _outputs(result) if output["name"] in names],
        }
        return responses.answer(request, served, answer, len(texts))

    def missing(request: Request, served: Served | None = None) -> Response | None:
        served, path = served or worker.main.model.served, request.path_params
        if path["name"] == served.name and path.get("version", served.version) == served.version:
            return None
        name = f"{served.name}, version {served.version}" if served.version else served.name
        return responses.error_response(404, f"this server has {name}", "error")

    listed = [Route("/v2", server), Route("/v2/health/live", live), Route("/v2/health/ready", ready)]
    for place in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        listed += [Route(place, model), Route(f"{place}/ready", model_ready)]
        listed.append(Route(f"{place}/infer", infer, methods=["POST"]))
    return listed


def read_texts(record: dict[str, Any]) -> Any:
    """Return the texts of a request; raises RequestError (422) if its input is not one tensor of BYTES."""
    inputs = record.get("inputs")
    tensor = inputs[0] if isinstance(inputs, list) and len(inputs) == 1 else None
    if not isinstance(tensor, dict) or tensor.get("datatype") != "BYTES" or "data" not in tensor:
        raise RequestError(422, "inputs: expected one tensor with datatype BYTES and its data as JSON strings")
    texts = _flatten(tensor["data"])
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not all(type(side) is int and 0 <= side <= len(texts) for side in shape):
        raise RequestError(422, f"inputs: expected a shape of {len(texts)} elements, as many as the data has")
    if math.prod(shape) != len(texts):
        raise RequestError(422, f"inputs: the shape does not have {len(texts)} elements, as many as the data has")
    return texts


def _flatten(data: Any) -> list[Any]:
    if isinstance(data, list) and data and all(isinstance(row, list) for row in data):
        return [text for row in data for text in row]  # [n, 1], as some clients send it
    return data if isinstance(data, list) else [data]


def _read_names(record: dict[str, Any]) -> list[Any]:
    """Return the names of the outputs that were asked for, by default all; raises RequestError (422) for others."""
    outputs = record.get("outputs") or [{"name": name} for name in OUTPUTS]
    listed = outputs if isinstance(outputs, list) else [outputs]
    names = [output.get("name") if isinstance(output, dict) else None for output in listed]
    if not all(name in OUTPUTS for name in names):
        raise RequestError(422, f"outputs: expected a list of objects with a name, one of {', '.join(OUTPUTS)}")
    return names


def _tensor(name: str, datatype: str, *shape: int, **data: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": list(shape), **data}


def _describe(worker: Worker) -> dict[str, Any]:
    served, labels = worker.main.model.served, worker.main.model.bundle.labels
    return {
        "name": served.name,
        "versions": [served.version] if served.version else [],
        "platform": "onnxruntime_onnx",
        "inputs": [_tensor("text", "BYTES", -1)],
        "outputs": [
            _tensor("label", "BYTES", -1),
            _tensor("probability", "FP32", -1),
            _tensor("probabilities", "FP32", -1, len(labels)),
        ],
        "parameters": {"labels": labels, "digest": served.digest},
    }


def _outputs(result: Result) -> list[dict[str, Any]]:
    labels, rows = result.model.bundle.labels, result.probabilities
    return [
        _tensor("label", "BYTES", len(rows), data=[labels[index] for index in rows.argmax(axis=1)]),
        _tensor("probability", "FP32", len(rows), data=rows.max(axis=1).tolist()),
        _tensor("probabilities", "FP32", *rows.shape, data=rows.ravel().tolist()),
    ]
