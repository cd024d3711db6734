"""Processes that outlive their run: which are ended, which are spared, and which end by themselves."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from prefect_dvc.recovery import orphans, rwlock

STAGE = (
    "from prefect_dvc.recovery import orphans; {}orphans.exit_with_dvc(); print('ready', flush=True); "
    "import time; time.sleep(60)"
)
BLIND = STAGE.format("orphans._watch = str; ")  # only the kernel reports it
WATCHING = STAGE.format("")
DVC = "import subprocess, sys; subprocess.run(sys.argv[1:])"  # waits for its stage, as DVC does
LEAVE = """\
import subprocess, sys
print(subprocess.Popen(sys.argv[1:], stdout=-3, stderr=-3, start_new_session=True).pid)
"""
Leave = Callable[..., psutil.Process]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def leave(root: Path) -> Iterator[Leave]:
    """Return a function that starts a process which sleeps and has no parent."""
    left = []

    def start(*words: str, **environment: str) -> psutil.Process:
        command = [sys.executable, "-c", LEAVE, sys.executable, "-c", "import time; time.sleep(60)", *words]
        done = subprocess.run(
            command, cwd=root, env={**os.environ, **environment}, capture_output=True, text=True, check=True
        )
        left.append(psutil.Process(int(done.stdout)))
        return left[-1]

    yield start
    for process in left:
        if orphans.is_running(process):
            process.kill()


# Ended


def test_a_process_that_an_earlier_run_marked_is_ended_and_named(root: Path, leave: Leave) -> None:
    process = leave(PREFECT_DVC_RUN=str(root))
    assert [f"ended process {process.pid}" in deed for deed in orphans.end_orphans(root)] == [True]
    assert not orphans.is_running(process)
    assert orphans.end_orphans(root) == []


def test_a_stage_whose_dvc_is_gone_is_ended(root: Path, leave: Leave) -> None:
    process = leave(DVC_ROOT=str(root), DVC_STAGE="train@cnn")
    orphans.end_orphans(root)
    assert not orphans.is_running(process)


def test_a_process_that_does_not_listen_is_killed(root: Path, leave: Leave, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "GRACE", 0.2)
    process = leave(PREFECT_DVC_RUN=str(root))
    process.suspend()
    orphans.end_orphans(root)
    assert not orphans.is_running(process)


def test_an_embedded_server_of_this_project_is_ended(root: Path, leave: Leave) -> None:
    home = str(root / ".dvc" / "tmp" / "prefect-dvc" / "prefect")
    process = leave("--factory", "prefect.server.api.server:create_app", PREFECT_HOME=home)
    orphans.end_orphans(root)
    assert not orphans.is_running(process)


# Spared


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"PREFECT_DVC_RUN": "/elsewhere"},
        {"DVC_ROOT": "/elsewhere", "DVC_STAGE": "train"},
        {"PREFECT_HOME": "/elsewhere"},
    ],
)
def test_what_is_not_this_projects_is_spared(root: Path, leave: Leave, environment: dict[str, str]) -> None:
    process = leave("prefect.server.api.server:create_app", **environment)
    assert orphans.end_orphans(root) == []
    assert orphans.is_running(process)


def test_a_stage_whose_dvc_is_at_work_is_spared(root: Path) -> None:
    environment = {**os.environ, "DVC_ROOT": str(root), "DVC_STAGE": "train"}
    with subprocess.Popen([sys.executable, "-c", DVC, "env", *marked(environment), "sleep", "60"], cwd=root) as dvc:
        stage = child_of(dvc)
        assert orphans.end_orphans(root) == []
        assert orphans.is_running(stage)
        stage.kill()


def test_a_stage_is_spared_whose_dvc_works_elsewhere_but_is_in_the_rwlock(root: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-c", DVC, "env", f"DVC_ROOT={root}", "DVC_STAGE=train", "sleep", "60"]
    with subprocess.Popen(words, cwd="/") as dvc:
        stage = child_of(dvc)
        holder = f'{{"write": {{"{root}/out": {{"pid": {dvc.pid}, "cmd": "-c env"}}}}}}'
        rwlock.path_of(root).write_text(holder)
        assert orphans.end_orphans(root) == []
        rwlock.path_of(root).unlink()
        assert len(orphans.end_orphans(root)) == 1
        assert not orphans.is_running(stage)


def test_this_process_and_those_above_it_are_spared(root: Path) -> None:
    code = (
        "import sys, pathlib; from prefect_dvc.recovery import orphans; "
        "print(orphans.end_orphans(pathlib.Path(sys.argv[1])))"
    )
    environment = {**os.environ, "PREFECT_DVC_RUN": str(root)}
    command = ["sh", "-c", f"'{sys.executable}' -c '{code}' '{root}'; true"]
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == "[]\n"


# Ending by themselves


@pytest.mark.parametrize(("shell", "code"), [([], BLIND), (["sh", "-c", '"$@"; true', "sh"], WATCHING)])
def test_a_stage_ends_when_its_dvc_is_killed(root: Path, shell: list[str], code: str) -> None:
    """Also behind a shell that lives on, which the kernel does not report."""
    command = [sys.executable, "-c", DVC, "env", f"DVC_ROOT={root}", "DVC_STAGE=train", *shell]
    with subprocess.Popen([*command, sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE) as dvc:
        assert dvc.stdout is not None and dvc.stdout.readline() == b"ready\n"
        below = psutil.Process(dvc.pid).children(recursive=True)
        stage = next(process for process in below if process.cmdline()[1:] == ["-c", code])
        began = time.monotonic()
        dvc.kill()
        while orphans.is_running(stage):
            assert time.monotonic() - began < 5
            time.sleep(0.01)
        for process in below:
            if orphans.is_running(process):
                process.kill()


def test_a_stage_that_finds_its_dvc_gone_when_it_starts_ends(root: Path, leave: Leave) -> None:
    environment = {**os.environ, "DVC_ROOT": str(root), "DVC_STAGE": "train"}
    late = f"import time; time.sleep(0.5); {WATCHING}"
    started = subprocess.run(
        [sys.executable, "-c", LEAVE, sys.executable, "-c", late], env=environment, capture_output=True, check=True
    )
    process = psutil.Process(int(started.stdout))
    began = time.monotonic()
    while orphans.is_running(process):
        assert time.monotonic() - began < 10
        time.sleep(0.01)


def marked(environment: dict[str, str]) -> list[str]:
    return [f"{name}={environment[name]}" for name in ("DVC_ROOT", "DVC_STAGE")]


def child_of(process: "subprocess.Popen[bytes]") -> psutil.Process:
    """Return its child, once it runs `sleep`."""
    while not (children := psutil.Process(process.pid).children()) or children[0].name() != "sleep":
        time.sleep(0.01)
    return children[0]
