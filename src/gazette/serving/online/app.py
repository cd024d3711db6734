"""The application of a worker: every contract over one way to answer."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gazette.serving.online import inference_protocol, log, metrics, mlflow_protocol, responses, settings, v1
from gazette.serving.online.edge import Edge
from gazette.serving.online.responses import JsonResponse
from gazette.serving.online.worker import Worker

PAGE = Path(__file__).with_name("page.html")


def create() -> ASGIApp:
    """Make the application of a worker of the server whose folder the environment names."""
    log.capture()
    worker = Worker(Path(os.environ[settings.VARIABLE]))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(worker.watch())
        log.write("worker ready", pid=os.getpid())
        yield
        watching.cancel()

    return Edge(build(worker, lifespan), worker)


def build(worker: Worker, lifespan: Any = None) -> Starlette:
    """Return the routes of a worker."""

    async def live(request: Request) -> Response:
        return JsonResponse({"status": "alive"})

    async def ready(request: Request) -> Response:
        roster = worker.roster
        return JsonResponse(
            {
                "status": "ready",
                "model": worker.main.model.served.speaker(),
                "since": worker.main.model.served.since,
                "shadow": roster.shadow and roster.shadow.speaker(),
                "source": {"unreachable_since": roster.unreachable_since, "reason": roster.unreachable_reason},
                "refused": roster.refused,
            }
        )

    async def prometheus(request: Request) -> Response:
        content, kind = await asyncio.to_thread(metrics.page)
        return Response(content, media_type=kind)

    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE.read_text(encoding="utf-8"))

    async def openapi(request: Request) -> Response:
        from gazette.serving.online import document

        return JsonResponse(document.describe())

    paths = {"/health/live": live, "/health/ready": ready, "/metrics": prometheus, "/": page, "/openapi.json": openapi}
    app = Starlette(
        routes=[
            *(Route(path, route) for path, route in paths.items()),
            *v1.routes(worker),
            *mlflow_protocol.routes(worker),
            *inference_protocol.routes(worker),
        ],
        exception_handlers={HTTPException: _refuse, Exception: _fail},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # the address would be made from the header Host
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer a path or method that does not exist."""
    assert isinstance(error, HTTPException)
    response = responses.error_response(error.status_code, error.detail, responses.error_key(request.url.path))
    response.headers.update(error.headers or {})
    return response


async def _fail(request: Request, error: Exception) -> Response:
    """Answer an error of ours, which Edge logs."""
    message = "internal error; the server's log has it under this request id"
    return responses.error_response(500, message, responses.error_key(request.url.path))
