"""Prefect's server goes away in the middle of a run: stages go on, and nothing of them is lost."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import prefect_homes
import pytest
from projects import copy_stage

from prefect_dvc.flows import server

pytestmark = pytest.mark.slow

Make = Callable[..., Path]


def start_run(root: Path, address: str) -> "subprocess.Popen[str]":
    """Start a run, and return it once its first stage runs."""
    environment = {**os.environ, "PREFECT_API_URL": address, "PREFECT_CLIENT_MAX_RETRIES": "2"}
    run = subprocess.Popen(
        [sys.executable, "-m", "prefect_dvc", "run"],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.stdout
    assert any("Running stage 'a'" in line for line in run.stdout)
    return run


@pytest.mark.parametrize("returns", [True, False])
def test_the_stages_end_and_the_same_command_finds_nothing_to_do(
    dvc_project: Make, tmp_path: Path, returns: bool
) -> None:
    stages = {"b": copy_stage("b", "made_a"), "c": copy_stage("c", "made_b")}
    stages["a"] = copy_stage("a", "raw", then="sleep 4")
    root, home = dvc_project(stages, raw="1\n"), tmp_path / "home"
    process, address = server.start(prefect_homes.prepare(home))
    server.wait(process, address, home)
    run = start_run(root, address)
    process.terminate()
    process.wait()
    if returns:
        time.sleep(1)
        process, _ = server.start(home, int(address.split(":")[2].removesuffix("/api")))
    output, _ = run.communicate(timeout=180)
    if returns:
        server.wait(process, address, home)
        process.terminate()
        process.wait()
        assert run.returncode == 0 and "Completed('3 ran')" in output, output
    else:
        assert run.returncode == 2, output
        assert f"Prefect's server at {address} failed: connection refused" in output and "Nothing is lost" in output
    assert (root / "dvc.lock").read_text().count("cmd:") == 3
    command = [sys.executable, "-m", "dvc", "status"]
    assert "up to date" in subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
