"""Running one stage, as a child process: what it says while it runs, and what became of it."""

import os
import re
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from gazette.core.errors import Misconfigured
from gazette.pipeline import supervisor
from gazette.pipeline.execution import forkserver
from gazette.pipeline.execution.scheduler import FAILED, RAN, RESTORED, UNCHANGED, Outcome

INTERRUPTED = 130  # what a shell says of a program that was
LATE = 124  # what `timeout` says of one
LAST = 20  # lines of a failed stage that are kept
TRIES = 3
# DVC, looking for an earlier run of a stage, removes or misses what another run is writing to the cache they share.
COLLIDED = re.compile(r"^ERROR: failed to .*No such file or directory: '[^']*/runs/[^']*\.tmp'$", re.MULTILINE)
ADVICE = ("To track the changes with git", "\tgit add", "To enable auto staging", "\tdvc config", "Use `dvc push`")

_under_way: set[supervisor.Process | forkserver.Forked] = set()


def run(
    root: Path,
    stage: str,
    hear: Callable[[str], object],
    force: bool = False,
    timeout: float | None = None,
    extra: Mapping[str, str] | None = None,
    template: str | None = None,
) -> Outcome:
    """Runs a stage of the DVC project at `root` by DVC, each line of it to `hear`; what is upstream must be done.

    `extra` is added to the environment. A stage that takes longer than `timeout` seconds is ended, and has failed.
    `template` is the address of a DVC that was started ahead. A stage that collided with the same one of another run is
    asked for again: it mostly finds what that run made.
    """
    for _ in range(TRIES):
        outcome = _run(root, stage, hear, force, timeout, extra, template)
        if not COLLIDED.search(outcome.message):
            break
    return outcome


def _run(
    root: Path,
    stage: str,
    hear: Callable[[str], object],
    force: bool,
    timeout: float | None,
    extra: Mapping[str, str] | None,
    template: str | None,
) -> Outcome:
    began = time.monotonic()
    words = ["--wait-for-lock", "repro", "--single-item", stage, *(["--force"] if force else [])]
    process = _started(words, root, environment(extra or {}), template)
    _under_way.add(process)
    late = threading.Event()

    def end() -> None:
        late.set()
        process.terminate()

    clock = threading.Timer(timeout or 0, end)
    clock.daemon = True
    if timeout:
        clock.start()
    said: str | None = None
    last: deque[str] = deque(maxlen=LAST)
    assert process.stdout is not None
    for line in (line.rstrip("\n") for line in process.stdout):
        said = said or _state(stage, line)
        last.append(line)
        if line and not line.startswith(ADVICE):
            hear(line)
    code = process.wait()
    _under_way.discard(process)
    clock.cancel()
    seconds = time.monotonic() - began
    if code == 0:
        return Outcome(stage, said or RAN, seconds)
    if late.is_set():
        return Outcome(
            stage, FAILED, seconds, LATE, "\n".join([*last, f"ended after {timeout:g} seconds, its time-out"])
        )
    if code == -signal.SIGKILL:  # the keeper's end, after it was asked to end the group
        return Outcome(stage, FAILED, seconds, INTERRUPTED, "\n".join([*last, "ended because the run was"]))
    return Outcome(stage, FAILED, seconds, _own_code(last), "\n".join(last))


def _started(
    words: list[str], root: Path, given: dict[str, str], template: str | None
) -> supervisor.Process | forkserver.Forked:
    if template:
        with suppress(OSError):
            return forkserver.Forked(template, words, root, given)
    return supervisor.start([sys.executable, "-m", "dvc", *words], root, given)


def end_all() -> None:
    """Ends the stages that are under way in this process; who runs them waits for them."""
    for process in list(_under_way):
        process.terminate()


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment for a child: our commands first on the path, its output not held back."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1", "DVC_NO_ANALYTICS": "1", **extra}


def _state(stage: str, line: str) -> str | None:
    """What DVC says of the stage, before the stage itself has a word."""
    return {
        f"Running stage '{stage}':": RAN,
        f"Stage '{stage}' didn't change, skipping": UNCHANGED,
        f"'{stage}' didn't change, skipping": UNCHANGED,
        f"Stage '{stage}' is cached - skipping run, checking out outputs": RESTORED,
    }.get(line)


def _own_code(lines: "deque[str]") -> int:
    """What the stage ended with, as DVC's message says; 128 + n after signal n; 2 where it was not even started."""
    found = [int(code) for line in lines for code in re.findall(r"^ERROR: failed to .* exited with (-?\d+)$", line)]
    if not found:
        return Misconfigured.code
    return found[-1] if found[-1] >= 0 else 128 - found[-1]
