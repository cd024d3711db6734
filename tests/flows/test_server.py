"""Prefect's server is not there, or something else answers: exit code 2 within seconds, its address, and the cure."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from broken_servers import broken_server
from prefect.settings import PREFECT_API_URL, temporary_settings
from projects import ROOT

from flows import server
from gazette.core.errors import ConfigError
from gazette.pipeline.execution import run as running

AGAIN = "Nothing is lost"


@pytest.mark.parametrize(
    ("kind", "reason", "passing"),
    [
        ("closed", "connection refused", True),
        ("silent", "no answer in time", True),
        ("reset", "closes the connection", True),
        ("page", "answers, but with a page", False),
        ("401", "set PREFECT_API_KEY", False),
        ("404", "HTTP 404", False),
        ("503", "HTTP 503", True),
    ],
)
def test_a_server_that_does_not_answer_is_named(
    kind: str, reason: str, passing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "ANSWER_SECONDS", 3)
    with broken_server(kind) as address:
        monkeypatch.setenv("PREFECT_API_URL", f"http://{address}/api")
        with temporary_settings({PREFECT_API_URL: f"http://{address}/api"}), pytest.raises(ConfigError) as error:
            server.check_answers()
    assert f"Prefect's server at http://{address}/api failed: " in str(error.value)
    assert reason in str(error.value) and (AGAIN in str(error.value)) == passing


@pytest.mark.slow
@pytest.mark.parametrize("module", ["pipeline", "score"])
def test_a_flow_ends_with_2_and_one_line_before_anything_runs(
    module: str, dvc_project: Callable[..., Path], wide: dict[str, object]
) -> None:
    root = dvc_project(wide, raw="1\n")
    words = ["raw", "--to", "scored", "--model", "news/1"] if module == "score" else []
    with broken_server("closed") as address:
        environment = running.child_environment(
            {"PREFECT_API_URL": f"http://{address}/api", "PREFECT_HOME": str(root / "home"), "PYTHONPATH": str(ROOT)}
        )
        command = [sys.executable, "-m", f"flows.{module}", *words]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert f"http://{address}/api failed: connection refused" in done.stderr and "Traceback" not in done.stderr
    assert not (root / "made_start").exists() and not (root / "scored").exists()
