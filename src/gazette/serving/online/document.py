"""The OpenAPI document: every route that answers about texts, and the health of the server."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gazette import __version__
from gazette.serving.online.mlflow_protocol import SHAPES
from gazette.serving.online.v1 import Failure, FeedbackRequest, FeedbackResponse, PredictRequest, PredictResponse

_ERRORS = {
    400: "The body is not a JSON object in UTF-8.",
    401: "No token, or one that this server does not know.",
    403: "A page of another site sent it.",
    408: "The body did not come within the deadline.",
    413: "The body is too large.",
    415: "The body is compressed, or not of this type.",
    422: "A field is wrong, or there are too many or too long texts.",
    429: "Too many requests with this token; `Retry-After` says when.",
    503: "The queue is full; `Retry-After` says when.",
    504: "No answer within the deadline.",
}
_TEXTS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_EXAMPLE = "Shares fell after the bank cut its forecast."
_INVOCATION = {
    "type": "object",
    "description": f"Exactly one of {', '.join(SHAPES)}.",
    "properties": {"inputs": _TEXTS, "instances": _TEXTS},
    "example": {"inputs": [_EXAMPLE]},
}
_TENSOR = {
    "type": "object",
    "required": ["name", "datatype", "shape", "data"],
    "properties": {
        "name": {"type": "string"},
        "datatype": {"const": "BYTES"},
        "shape": {"type": "array", "items": {"type": "integer"}},
        "data": _TEXTS,
    },
}
_INFER = {
    "type": "object",
    "required": ["inputs"],
    "properties": {"inputs": {"type": "array", "items": _TENSOR, "minItems": 1, "maxItems": 1}},
    "example": {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [_EXAMPLE]}]},
}
_NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
_VERSION = _NAME | {"name": "version"}


def describe() -> dict[str, Any]:
    """Return the document."""
    models: list[type[BaseModel]] = [PredictRequest, PredictResponse, FeedbackRequest, FeedbackResponse, Failure]
    _, schemas = models_json_schema([(m, "validation") for m in models], ref_template="#/components/schemas/{model}")
    infer = _operation("Label texts, by the Open Inference Protocol", _INFER)
    paths: dict[str, Any] = {
        "/v1/predict": {"post": _operation("Label texts", PredictRequest, PredictResponse)},
        "/v1/feedback": {"post": _operation("Say which label a text should have", FeedbackRequest, FeedbackResponse)},
        "/invocations": {"post": _operation("Label texts, as MLflow does", _INVOCATION)},
        "/v2/models/{name}/infer": {"post": infer, "parameters": [_NAME]},
        "/v2/models/{name}/versions/{version}/infer": {"post": infer, "parameters": [_NAME, _VERSION]},
    }
    for path in ("/health/live", "/health/ready", "/v2", "/v2/health/live", "/v2/health/ready"):
        paths[path] = {"get": {"summary": path, "responses": {"200": _answer("It answers.")}, "security": []}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gazette",
            "version": __version__,
            "description": "Labels for news articles. Every answer says which version made it.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def _operation(summary: str, request: Any, response: type[BaseModel] | None = None) -> dict[str, Any]:
    failures = {str(status): _answer(description) for status, description in _ERRORS.items()}
    if response is None:
        failures["404"] = _answer("This server has another model or version.")
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": {"schema": _schema(request)}}},
        "responses": {"200": _answer("The labels, and which version gave them.", response), **failures},
    }


def _answer(description: str, schema: Any = None) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _schema(schema)} if schema else {}}}


def _schema(schema: Any) -> Any:
    return {"$ref": f"#/components/schemas/{schema.__name__}"} if isinstance(schema, type) else schema
