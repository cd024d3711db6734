"""One run at a time, and how it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from prefect_dvc import supervisor
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.recovery import guard, orphans

HOLD = """\
import time; from pathlib import Path; from prefect_dvc.recovery import guard
with guard.exclusive_run(Path()): print(1, flush=True); {}
"""
RUN = """import sys, pathlib; from prefect_dvc.recovery import guard
sys.exit(guard.run_command(sys.argv[1:], pathlib.Path()))"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts Python code in a project."""
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    started = []

    def begin(code: str, *words: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", code, *words], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def gone(processes: list[psutil.Process], within: float) -> bool:
    give_up = time.monotonic() + within
    while any(orphans.is_running(process) for process in processes) and time.monotonic() < give_up:
        time.sleep(0.01)
    return time.monotonic() < give_up


def three_below(run: "subprocess.Popen[str]") -> list[psutil.Process]:
    """Return the supervisor, the shell and what it waits for."""
    while len(processes := psutil.Process(run.pid).children(recursive=True)) < 3:
        time.sleep(0.01)
    return processes


def test_a_second_run_is_refused_and_names_the_first(start: Start, tmp_path: Path) -> None:
    first = start(HOLD.format("time.sleep(60)"))
    with (
        pytest.raises(ConfigError, match=f"another run is at work in this folder: process {first.pid}, -c, since 20"),
        guard.exclusive_run(tmp_path),
    ):
        pass


def test_a_run_that_was_killed_blocks_nobody(start: Start, tmp_path: Path) -> None:
    start(HOLD.format("time.sleep(60)")).kill()
    with guard.exclusive_run(tmp_path) as repairs:
        assert repairs == []


def test_what_a_run_starts_is_marked_while_it_lasts(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    with guard.exclusive_run(tmp_path):
        assert os.environ[orphans.MARK] == str(tmp_path)
    assert orphans.MARK not in os.environ


def test_a_run_may_be_nested(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    with guard.exclusive_run(tmp_path), guard.exclusive_run(tmp_path) as repairs:
        assert repairs == []
        assert os.environ[orphans.MARK] == str(tmp_path)


def test_a_nested_run_in_another_folder_is_separate(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    for project in (tmp_path, folder):
        (project / ".dvc").mkdir(parents=True)
    with guard.exclusive_run(tmp_path):
        with guard.exclusive_run(folder):
            assert os.environ[orphans.MARK] == str(folder)
        assert os.environ[orphans.MARK] == str(tmp_path)


def test_a_killed_run_counts_as_interrupted(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interruptions: list[bool] = []
    monkeypatch.setattr(
        "prefect_dvc.recovery.repair.repair", lambda root, interrupted: interruptions.append(interrupted) or []
    )
    with guard.exclusive_run(tmp_path):
        pass
    start(HOLD.format("time.sleep(60)")).kill()
    for _ in range(2):
        with guard.exclusive_run(tmp_path):
            pass
    assert interruptions == [False, True, False]


@pytest.mark.parametrize(("command", "interrupted"), [("kill -INT 0; sleep 9", True), ("exit 3", False)])
def test_a_run_that_a_signal_ended_counts_as_interrupted(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, interrupted: bool
) -> None:
    code = HOLD.format("guard.run_command(['sh', '-c', sys.argv[1]], Path())")
    start("import sys\n" + code, command).wait()
    interruptions: list[bool] = []
    monkeypatch.setattr(
        "prefect_dvc.recovery.repair.repair", lambda root, interrupted: interruptions.append(interrupted) or []
    )
    with guard.exclusive_run(tmp_path):
        pass
    assert interruptions == [interrupted]


def test_repair_does_not_wait_forever_for_dvc(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prefect_dvc.locks.LOCK_SECONDS", 0.2)
    code = (
        "import time, zc.lockfile; lock = zc.lockfile.LockFile('.dvc/tmp/lock'); print(1, flush=True); time.sleep(60)"
    )
    dvc = start(code)
    busy = pytest.raises(ConfigError, match=f"DVC is at work in this folder, process: {dvc.pid}")
    with busy, guard.exclusive_run(tmp_path):
        pass


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("listens", [True, False])
def test_a_signal_ends_the_run_and_all_below_it(start: Start, number: int, code: int, listens: bool) -> None:
    ignored = "" if listens else "trap '' INT TERM; "
    run = start(RUN, "sh", "-c", f"{ignored}echo 1; sleep 60; sleep 60")
    below = three_below(run)
    began = time.monotonic()
    run.send_signal(number)
    assert run.wait() == code
    assert gone(below, within=1)
    assert time.monotonic() - began < supervisor.GRACE + 5  # on a machine at its limit


def test_a_run_that_is_killed_takes_all_below_it_along(start: Start) -> None:
    run = start(RUN, "sh", "-c", "echo 1; sleep 60; sleep 60")
    below = three_below(run)
    run.kill()
    assert gone(below, within=2)


def test_what_is_below_a_command_that_is_killed_goes_too(start: Start) -> None:
    run = start(RUN, "sh", "-c", "echo 1; sleep 60; sleep 60")
    supervising, shell, sleep = three_below(run)
    shell.kill()
    assert run.wait() == 137
    assert gone([supervising, sleep], within=1)


def test_a_commands_own_code_is_the_runs(start: Start) -> None:
    assert start(RUN, "sh", "-c", "echo 1; exit 3").wait() == 3
