"""The flow `score`, with a real Prefect server."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flow_runs import Flow

from gazette.serving.batch.parts import BLOCK

pytest.importorskip("prefect")
pytestmark = pytest.mark.slow


def run(flow: Flow, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=flow.environment | flow.warm,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_flow_gives_what_the_command_gives_on_processes_and_on_dask(
    flow: Flow, tmp_path: Path, bundle: Path
) -> None:
    (tmp_path / "new.txt").write_text("".join(f"goal {'bank ' * (n % 9)}\n" for n in range(3000)))
    words = ("new.txt", "--model", str(bundle), "--part-rows", "1", "--workers", "2", "--to")
    assert run(flow, tmp_path, "gazette", "score", *words, "plain").returncode == 0
    for runner in ("processes", "dask"):
        done = run(flow, tmp_path, "flows.score", *words, runner, "--runner", runner)
        assert done.returncode == 0, done.stderr
        assert "part-00002" in done.stdout + done.stderr
        for path in sorted((tmp_path / "plain").glob("[mpq]*.*")):
            assert path.read_bytes() == (tmp_path / runner / path.name).read_bytes(), path.name


def test_a_lost_worker_of_dask_costs_no_part_and_leaves_no_task_running(
    flow: Flow, tmp_path: Path, bundle: Path
) -> None:
    (tmp_path / "new.txt").write_text("".join(f"goal {'bank ' * (n % 99)}\n" for n in range(12 * BLOCK)))
    words = ["flows.score", "new.txt", "--model", str(bundle), "--part-rows", "1", "--workers", "2", "--to", "scored"]
    process = subprocess.Popen(
        [sys.executable, "-m", *words, "--runner", "dask"], cwd=tmp_path, env=flow.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    while len(list((tmp_path / "scored").glob("part-*"))) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    children = [
        pid for task in Path(f"/proc/{process.pid}/task").iterdir() for pid in (task / "children").read_text().split()
    ]
    os.kill(
        next(int(pid) for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()), signal.SIGKILL
    )
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert output.count("Finished in state Completed()") == 13, output  # 12 parts and the flow
    assert run(flow, tmp_path, "gazette", "score", *words[1:-1], "whole").returncode == 0
    for path in sorted((tmp_path / "whole").glob("[mpq]*.*")):
        assert path.read_bytes() == (tmp_path / "scored" / path.name).read_bytes(), path.name


def test_the_flow_ends_with_the_commands_code(flow: Flow, tmp_path: Path, bundle: Path) -> None:
    done = run(flow, tmp_path, "flows.score", "none.csv", "--model", str(bundle), "--to", "scored")
    assert done.returncode == 2
    assert "none.csv: no such file" in done.stderr
