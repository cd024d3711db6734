"""Fixtures for tests of DVC projects and of flows, of whoever depends on prefect-dvc too."""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import prefect_homes
import pytest
import warm
from flow_runs import Flow
from projects import copy_stage, make_project

from prefect_dvc.flows import server


@pytest.fixture
def dvc_project(tmp_path: Path) -> Callable[..., Path]:
    """Makes a DVC project with git around it, of stages as in dvc.yaml and of files by name; commands find Python."""
    return partial(make_project, tmp_path)


@pytest.fixture
def wide() -> dict[str, object]:
    """The stages of a graph four wide: raw to start, to four, to end; `raw` is a file."""
    middle = {name: copy_stage(name, "made_start") for name in "abcd"}
    return {
        "start": copy_stage("start", "raw"),
        **middle,
        "end": copy_stage("end", *(f"made_{name}" for name in "abcd")),
    }


@pytest.fixture
def warm_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands that a test starts fork from a process that has imported what they need."""
    for name, value in warm.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def flow() -> Flow:
    """A Prefect server for all tests that run flows."""
    return _start_flow_server()


@cache  # one for all who import this fixture: Prefect in the warm process knows one address
def _start_flow_server() -> Flow:
    home = prefect_homes.prepare(Path(tempfile.mkdtemp(prefix="prefect")))
    process, address = server.start(home)
    server.wait(process, address, home)

    def end() -> None:
        process.terminate()
        process.wait()
        shutil.rmtree(home)

    atexit.register(end)
    return Flow(address, home)
