"""Answers as HTTP responses: the version in the headers, errors with what to do."""

import json
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from gazette.serving.online.body import RequestError
from gazette.serving.online.failures import OverloadedError
from gazette.serving.online.roster import Served


class JsonResponse(Response):
    """A response of JSON, in UTF-8."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the bytes of a record."""
        return _encode(content)


def _encode(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")  # half a surrogate pair becomes its JSON escape


def answer(request: Request, served: Served, content: dict[str, Any] | bytes, texts: int) -> Response:
    """Return a record, or its JSON, with the version that made it in the headers."""
    state = request.scope["state"]
    state["texts"], state["speaker"] = texts, served.speaker()
    body = content if isinstance(content, bytes) else _encode(content)
    return Response(body, media_type="application/json", headers=speaker_headers(served))


def speaker_headers(served: Served) -> dict[str, str]:
    """Return which version spoke as headers; the name may be a folder's, and not ASCII."""
    return {
        "Gazette-Model": quote(served.name),
        "Gazette-Version": served.version,
        "Gazette-Digest": served.digest,
        "Gazette-Ledger": served.ledger,
    }


def error_response(status: int, message: str, key: str = "detail", seconds: int = 0) -> Response:
    """Return an error; `seconds` until the request may be tried again."""
    headers = {"Retry-After": str(seconds)} if seconds else None
    return JsonResponse({key: message}, status, headers=headers)


def error_key(path: str) -> str:
    """Return under which key the contract of a path has the message of an error."""
    if path.startswith("/v2"):
        return "error"
    return "message" if path == "/invocations" else "detail"


def failure(error: Exception, key: str = "detail") -> Response:
    """Return the response to an expected error: of the request, an overload, or a deadline."""
    if isinstance(error, RequestError):
        return error_response(error.status, error.message, key, error.seconds)
    if isinstance(error, OverloadedError):
        return error_response(503, str(error), key, error.seconds)
    return error_response(504, "no answer within the deadline", key)


EXPECTED = (RequestError, OverloadedError, TimeoutError)
