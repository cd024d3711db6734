"""The flow `score`, with a real Prefect server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from projects import ROOT

pytest.importorskip("prefect")
pytestmark = pytest.mark.slow


def run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_flow_gives_what_the_command_gives_on_processes_and_on_dask(tmp_path: Path, bundle: Path) -> None:
    (tmp_path / "new.txt").write_text("".join(f"goal {'bank ' * (n % 9)}\n" for n in range(3000)))
    words = ("new.txt", "--model", str(bundle), "--part-rows", "1", "--workers", "2", "--to")
    assert run(tmp_path, "gazette", "score", *words, "plain").returncode == 0
    for runner in ("processes", "dask"):
        done = run(tmp_path, "flows.score", *words, runner, "--runner", runner)
        assert done.returncode == 0, done.stderr
        assert "part-00002" in done.stdout + done.stderr
        for path in sorted((tmp_path / "plain").glob("[mpq]*.*")):
            assert path.read_bytes() == (tmp_path / runner / path.name).read_bytes(), path.name


def test_the_flow_ends_with_the_commands_code(tmp_path: Path, bundle: Path) -> None:
    done = run(tmp_path, "flows.score", "none.csv", "--model", str(bundle), "--to", "scored")
    assert done.returncode == 2
    assert "none.csv: no such file" in done.stderr
