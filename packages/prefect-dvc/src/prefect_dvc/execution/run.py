"""Running a stage as a child process: its output line by line, and its outcome."""

import re
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from prefect_dvc import dvc_errors, supervisor
from prefect_dvc.environment import child_environment
from prefect_dvc.execution import forkserver, signals
from prefect_dvc.execution.scheduler import FAILED, RAN, RESTORED, UNCHANGED, StageOutcome

INTERRUPTED = 130  # a shell's code for an interrupted program
TIMED_OUT = 124  # the code of `timeout`
MAX_LINES = 20  # of a failed stage's output
MAX_TRIES = 3
# DVC, looking for an earlier run of a stage, removes or misses what another run is writing to the cache they share.
COLLIDED = re.compile(r"^ERROR: failed to .*No such file or directory: '[^']*/runs/[^']*\.tmp'$", re.MULTILINE)
ADVICE = ("To track the changes with git", "\tgit add", "To enable auto staging", "\tdvc config", "Use `dvc push`")

Process = supervisor.Process | forkserver.Forked
_running: set[Process] = set()


def run_stage(
    root: Path,
    stage: str,
    on_line: Callable[[str], object],
    force: bool = False,
    timeout: float | None = None,
    extra: Mapping[str, str] | None = None,
    forked: bool = False,
) -> StageOutcome:
    """Run a stage of the DVC project at `root` by DVC, each output line to `on_line`; its upstream must be done.

    `extra` is added to the environment. A stage that takes longer than `timeout` seconds is ended, and has failed.
    `forked` from a DVC that was started ahead, it starts sooner. A stage that collided with the same one of another run
    is run again: it usually finds that run's outputs.
    """
    words = ["--wait-for-lock", "repro", "--single-item", stage, *(["--force"] if force else [])]
    environment = child_environment(extra, root)
    for _ in range(MAX_TRIES):
        process: Process = (
            forkserver.Forked(words, root, environment)
            if forked
            else supervisor.start_command([sys.executable, "-m", "dvc", *words], root, environment)
        )
        outcome = _watch(process, stage, on_line, timeout)
        if not COLLIDED.search(outcome.message):
            break
    return outcome


def _watch(process: Process, stage: str, on_line: Callable[[str], object], timeout: float | None) -> StageOutcome:
    start = time.monotonic()
    _running.add(process)
    timed_out = threading.Event()

    def end() -> None:
        timed_out.set()
        process.terminate()

    timer = threading.Timer(timeout or 0, end)
    timer.daemon = True
    if timeout:
        timer.start()
    state: str | None = None
    last: deque[str] = deque(maxlen=MAX_LINES)
    assert process.stdout is not None
    for line in (line.rstrip("\n") for line in process.stdout):
        state = state or _state(stage, line)
        last.append(line)
        if line and not line.startswith(ADVICE):
            on_line(line)
    code = process.wait()
    _running.discard(process)
    timer.cancel()
    seconds = time.monotonic() - start
    if code == 0:
        return StageOutcome(stage, state or RAN, seconds)
    if timed_out.is_set():
        last.append(f"ended after {timeout:g} seconds, its timeout")
        return StageOutcome(stage, FAILED, seconds, TIMED_OUT, "\n".join(last))
    if code == -signal.SIGKILL:  # the supervisor's end, after it was asked to end the group
        return StageOutcome(stage, FAILED, seconds, INTERRUPTED, "\n".join([*last, "ended because the run was"]))
    message = dvc_errors.append_cure("\n".join(last))
    code = signals.stage_exit_code(message)
    return StageOutcome(stage, FAILED, seconds, code, signals.append_signal(message, code))


def terminate_all() -> None:
    """End the stages that run in this process; whoever runs them waits for them."""
    for process in list(_running):
        process.terminate()


def _state(stage: str, line: str) -> str | None:
    """Return the state that a line of DVC's tells, before the stage's own output."""
    return {
        f"Running stage '{stage}':": RAN,
        f"Stage '{stage}' didn't change, skipping": UNCHANGED,
        f"'{stage}' didn't change, skipping": UNCHANGED,
        f"Stage '{stage}' is cached - skipping run, checking out outputs": RESTORED,
    }.get(line)
