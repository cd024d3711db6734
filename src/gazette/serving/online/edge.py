"""What stands before every route: request id, token, rate, headers, access log, metrics."""

import math
import re
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gazette.serving.online import log, tracing
from gazette.serving.online.access import RateLimit, identify, is_foreign
from gazette.serving.online.responses import error_key, error_response
from gazette.serving.online.worker import Worker

_REQUEST_ID = re.compile(rb"[\w.:/+=-]{1,128}")
OPEN = ("/", "/ping", "/health", "/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                                 b"connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"),
]  # fmt: skip


class Edge:
    """An ASGI application around the routes. The page and the health checks need no token."""

    def __init__(self, app: ASGIApp, worker: Worker) -> None:
        self.app, self.worker = app, worker
        options = worker.settings
        self.rate = RateLimit(options.limits.requests_per_second / options.workers)
        self.trace = tracing.recorder()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, sent = time.perf_counter(), {"status": 500}
        headers = dict(scope["headers"])
        request_id = headers.get(b"x-request-id", b"")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = secrets.token_hex(16).encode()
        scope.setdefault("state", {}).update(request_id=request_id.decode(), caller="anonymous")

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent["status"] = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id), *_HEADERS]
            await send(message)

        refusal = self._refuse(scope, headers)
        try:
            await (refusal or self.app)(scope, receive, send_marked)
        except Exception as error:  # noqa: BLE001  # the application has answered 500; the server goes on
            log.write_error("error", error, request_id=request_id.decode())
        finally:
            traceparent = headers.get(b"traceparent", b"").decode("latin-1")
            self._record(scope, sent["status"], time.perf_counter() - began, traceparent)

    def _refuse(self, scope: Scope, headers: dict[bytes, bytes]) -> ASGIApp | None:
        if scope["path"] in OPEN:
            return None
        key = error_key(scope["path"])
        if is_foreign(headers):
            return error_response(403, "a page of another site may not ask this server", key)
        caller = identify(self.worker.settings.tokens, headers.get(b"authorization", b""))
        if caller is None:
            response = error_response(401, "expected a token that this server knows: Authorization: Bearer TOKEN", key)
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        scope["state"]["caller"] = caller[:12] or "anonymous"
        seconds = self.rate.take(caller)
        return error_response(429, "too many requests", key, math.ceil(seconds)) if seconds else None

    def _record(self, scope: Scope, status: int, seconds: float, traceparent: str) -> None:
        route, state = getattr(scope.get("route"), "path", "unknown"), scope["state"]
        self.worker.metrics.count_request(route, status, seconds)
        fields = {
            "request_id": state["request_id"],
            "method": scope["method"],
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000, 3),
            "texts": state.get("texts", 0),
            **state.get("speaker", {}),
        }
        log.write("request", **fields)
        if traceparent and self.trace:
            self.trace(traceparent, fields, seconds)
