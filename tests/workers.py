"""A worker of `gazette serve` in this process, and a client of it."""

from pathlib import Path

from prefect_dvc import hashing
from starlette.testclient import TestClient

from gazette.serving.online import roster, settings
from gazette.serving.online.app import build
from gazette.serving.online.edge import Edge
from gazette.serving.online.roster import Roster, Served
from gazette.serving.online.settings import Settings
from gazette.serving.online.worker import Worker


def make_served(bundle: Path, version: str = "3") -> Served:
    """A bundle as a version of `tiny`."""
    return Served("tiny", version, hashing.dvc_hash(bundle), "f" * 64, str(bundle), "2026-01-01T00:00:00+00:00")


def make_worker(box: Path, bundle: Path, shadow: Served | None = None, **options: object) -> Worker:
    """A worker of a bundle that is version 3 of `tiny`."""
    roster.write(box, Roster(make_served(bundle), shadow))
    settings.write(box, Settings("tiny", feedback=str(box / "feedback"), **options))  # type: ignore[arg-type]
    return Worker(box)


def served_by(worker: Worker) -> TestClient:
    """A client of a worker; an error of ours is an answer, as it is over HTTP."""
    return TestClient(Edge(build(worker), worker), raise_server_exceptions=False)
