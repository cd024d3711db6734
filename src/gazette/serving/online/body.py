"""The body of a request as texts, within the limits; what is wrong with it, with the number."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from starlette.requests import ClientDisconnect, Request

from gazette.serving.online.settings import Limits


class RequestError(Exception):
    """A request that cannot be answered, and the HTTP status that says so."""

    def __init__(self, status: int, message: str, seconds: int = 0) -> None:
        super().__init__(message)
        self.status, self.message, self.seconds = status, message, seconds


async def read_body(request: Request, limits: Limits) -> bytes:
    """Read the body; raises RequestError if it is too large (413) or does not come within the deadline (408)."""
    if (encoding := request.headers.get("content-encoding", "").lower()) not in ("", "identity"):
        raise RequestError(415, f"expected a body that is not compressed, got Content-Encoding: {encoding}")
    too_large = RequestError(413, f"the body has more than {limits.body_bytes} bytes")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > limits.body_bytes:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(limits.deadline_seconds):
            async for part in request.stream():
                size += len(part)
                if size > limits.body_bytes:
                    raise too_large
                parts.append(part)
    except TimeoutError:
        raise RequestError(408, f"the body did not come within {limits.deadline_seconds:g} seconds") from None
    except ClientDisconnect:
        raise RequestError(400, "the body ended early") from None
    return b"".join(parts)


def parse_json(body: bytes) -> dict[str, Any]:
    """Return a body's JSON object; raises RequestError (400) if it is none."""
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise RequestError(400, f"expected a JSON object in UTF-8: {reason}") from None
    if not isinstance(record, dict):
        raise RequestError(400, f"expected a JSON object, got {type(record).__name__}")
    return record


def check_texts(texts: Any, limits: Limits, least: int = 1) -> Sequence[str]:
    """Return the texts; raises RequestError (422) if they are not texts, are too many or are too long."""
    if not isinstance(texts, list) or len(texts) < least:
        raise RequestError(422, f"expected a list of texts, at least {least}")
    if len(texts) > limits.texts:
        raise RequestError(422, f"{len(texts)} texts; at most {limits.texts} a request")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise RequestError(422, f"text {place}: expected a string, got {type(text).__name__}")
        if len(text) > limits.text_characters:
            raise RequestError(422, f"text {place}: {len(text)} characters; at most {limits.text_characters}")
        if not text.isascii():
            _check_unicode(place, text)
    return texts


def _check_unicode(place: int, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestError(422, f"text {place}: half a surrogate pair at character {error.start}") from None
