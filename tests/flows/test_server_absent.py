"""Prefect's server is not there: every flow ends with 2 within seconds, and names its address."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from broken_servers import broken_server
from prefect_dvc.environment import child_environment
from root import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("module", ["pipeline", "score"])
def test_a_flow_ends_with_2_and_one_line_before_anything_runs(
    module: str, dvc_project: Callable[..., Path], wide: dict[str, object]
) -> None:
    root = dvc_project(wide, raw="1\n")
    words = ["raw", "--to", "scored", "--model", "news/1"] if module == "score" else []
    with broken_server("closed") as address:
        environment = child_environment(
            {"PREFECT_API_URL": f"http://{address}/api", "PREFECT_HOME": str(root / "home"), "PYTHONPATH": str(ROOT)}
        )
        command = [sys.executable, "-m", f"flows.{module}", *words]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert f"http://{address}/api failed: connection refused" in done.stderr and "Traceback" not in done.stderr
    assert not (root / "made_start").exists() and not (root / "scored").exists()
