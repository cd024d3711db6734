"""The application of a worker: every contract over one way to answer."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp

from gazette import __version__
from gazette.serving.online import inference_protocol, metrics, mlflow_protocol, responses, settings, v1
from gazette.serving.online.edge import Edge
from gazette.serving.online.responses import JsonResponse
from gazette.serving.online.worker import Worker

PAGE = Path(__file__).with_name("page.html")


def create() -> ASGIApp:
    """Make the application of a worker of the server whose folder the environment names."""
    worker = Worker(Path(os.environ[settings.VARIABLE]))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(worker.watch())
        yield
        watching.cancel()

    return Edge(build(worker, lifespan), worker)


def build(worker: Worker, lifespan: object = None) -> FastAPI:
    """Return the routes of a worker."""
    app = FastAPI(
        title="Gazette",
        version=__version__,
        description="Labels for news articles. Every answer says which version made it.",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,  # type: ignore[arg-type]
    )

    async def live() -> Response:
        return JsonResponse({"status": "alive"})

    async def ready() -> Response:
        roster = worker.roster
        return JsonResponse(
            {
                "status": "ready",
                "model": worker.main.model.served.speaker(),
                "since": roster.main.since,
                "shadow": roster.shadow and roster.shadow.speaker(),
                "source": {"unreachable_since": roster.unreachable_since, "reason": roster.unreachable_reason},
                "refused": roster.refused,
            }
        )

    async def prometheus() -> Response:
        content, kind = await asyncio.to_thread(metrics.page)
        return Response(content, media_type=kind)

    async def page() -> Response:
        return HTMLResponse(PAGE.read_text(encoding="utf-8"))

    async def not_found(request: Request, error: Exception) -> Response:
        return responses.error_response(getattr(error, "status_code", 404), str(getattr(error, "detail", error)))

    for path, route in (("/health/live", live), ("/health/ready", ready), ("/metrics", prometheus)):
        app.add_api_route(path, route, methods=["GET"])
    app.add_api_route("/", page, methods=["GET"], include_in_schema=False)
    app.add_exception_handler(404, not_found)
    app.add_exception_handler(405, not_found)
    v1.add_routes(app.router, worker)
    mlflow_protocol.add_routes(app.router, worker, _mlflow_version())
    inference_protocol.add_routes(app.router, worker)
    return app


def _mlflow_version() -> str:
    from importlib import metadata

    for package in ("mlflow", "mlflow-skinny"):
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return "0"
