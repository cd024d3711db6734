"""Scoring processes that are killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gazette.serving.batch import parts

pytestmark = pytest.mark.slow

BLOCKS = 20
ROWS = BLOCKS * parts.BLOCK - 17


def start(articles: Path, to: Path, bundle: Path) -> "subprocess.Popen[str]":
    words = ["score", str(articles), "--to", str(to), "--model", str(bundle), "--part-rows", "1", "--workers", "2"]
    command = [sys.executable, "-m", "gazette", *words]
    return subprocess.Popen(command, cwd=to.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(process: "subprocess.Popen[str]", code: int = 0) -> str:
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    return out + err


def scored(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("part-*.parquet")}


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.*") if path.name != "run.json"}


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    path = tmp_path / "new.txt"
    path.write_text("".join(f"goal {'bank ' * (n % 50)}\n" if n % 1000 else "...\n" for n in range(ROWS)))
    return path


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_and_resumed_it_scores_what_is_missing_and_loses_nothing(
    articles: Path, bundle: Path, tmp_path: Path, number: signal.Signals
) -> None:
    to = tmp_path / "killed"
    process = start(articles, to, bundle)
    while len(scored(to)) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(number)
    process.communicate(timeout=60)
    assert len(workers) >= 2
    deadline = time.monotonic() + 20
    while any(is_alive(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_alive(worker) for worker in workers)
    before = scored(to)
    assert 3 <= len(before) < BLOCKS
    assert not (to / "manifest.json").exists()
    wait_for(start(articles, to, bundle))
    assert before.items() <= scored(to).items()
    assert f'"parts_found": {len(before)}' in (to / "run.json").read_text()
    wait_for(start(articles, tmp_path / "whole", bundle))
    assert content(to) == content(tmp_path / "whole")


def is_alive(pid: str) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_killed_worker_ends_the_scoring_with_advice(articles: Path, bundle: Path, tmp_path: Path) -> None:
    process = start(articles, tmp_path / "to", bundle)
    while len(scored(tmp_path / "to")) < 3:
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    worker = next(child for child in children if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text())
    os.kill(int(worker), signal.SIGKILL)
    assert "a worker was killed" in wait_for(process, 70)
    wait_for(start(articles, tmp_path / "to", bundle))
