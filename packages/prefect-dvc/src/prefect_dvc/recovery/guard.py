"""One run at a time in a project, after repair of what the last one left behind.

Whoever starts DVC does so inside `exclusive_run`. The kernel releases the lock when its holder ends, so a live run is
never repaired, and a killed one blocks nobody.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType

from prefect_dvc import locks, state, supervisor
from prefect_dvc.environment import check_path, inherited
from prefect_dvc.recovery import orphans, repair


class EndedBySignal(SystemExit):
    """The end of this process because a signal ended the command that it ran, such as one of its stages."""


@contextmanager
def exclusive_run(root: Path) -> Iterator[list[str]]:
    """Repair the project and keep other runs out during the block; yields a line for each repair.

    Processes that the block starts are marked, so that they can be found if they outlive the run; inside a run that is
    already marked, nothing else happens. Raises ConfigError if another run is at work, or if the path keeps one out.
    """
    check_path(root)
    before = os.environ.get(orphans.MARK)
    if before == str(root.resolve()):
        yield []
        return
    lock = lock_path(root)
    with without_runs(root):
        repairs = repair.repair(root, interrupted=lock.stat().st_size > 0)
        repair.back_up_locks(root)
        with locks.signed(lock):
            os.environ[orphans.MARK] = str(root.resolve())
            try:
                yield repairs
            finally:
                del os.environ[orphans.MARK]
                os.environ.update({orphans.MARK: before} if before else {})
            repair.back_up_locks(root)


def lock_path(root: Path) -> Path:
    """Return the path of the lock of a run, which its holder signs."""
    return state.state_folder(root) / "run.lock"


def without_runs(root: Path) -> AbstractContextManager[None]:
    """Keep runs out during a block; raises ConfigError if one is at work."""
    return locks.file_lock(lock_path(root), "another run is at work in this folder")


def run_command(
    command: Sequence[str],
    root: Path,
    on_line: Callable[[str], object] | None = None,
    extra: Mapping[str, str] | None = None,
) -> int:
    """Run a command with this process's streams, or each line of its output to `on_line`, and return its exit code.

    `extra` is added to the environment.

    SIGTERM and SIGINT end the command and whatever it started, within seconds; so does the end of this process. If
    signal n ended either, this process exits with 128 + n.
    """
    environment = inherited() | dict(extra or {})
    output, errors = (subprocess.PIPE, subprocess.STDOUT) if on_line else (None, None)
    process = supervisor.start_command(command, root, environment, output, errors)
    signals: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        signals.append(number)
        process.terminate()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    for line in process.stdout or ():
        if on_line:
            on_line(line.rstrip("\n"))
    code = process.wait()
    for number, handler in before.items():
        signal.signal(number, handler)
    if signals:
        sys.exit(128 + signals[0])
    if code < 0 or 128 < code < 128 + signal.NSIG:  # 255 is DVC's code for a stage that failed
        raise EndedBySignal(code if code > 0 else 128 - code)
    return code
