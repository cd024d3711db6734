"""Child processes that do not outlive their parent: a supervisor stands between, in a process group with the child.

The supervisor gets a signal when the parent's thread that started it is gone, for whatever reason, and ends the group:
first as Ctrl-C does, so that DVC releases its locks, then by SIGKILL. That thread must therefore wait for the child.
It is started by file name and without site-packages, which takes some thirty milliseconds.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

GRACE = 5  # seconds between asking a group to end and killing it

Process = subprocess.Popen[str]

_PR_SET_PDEATHSIG = 1


def start_command(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    output: int | IO[str] | None = subprocess.PIPE,
    errors: int | IO[str] | None = subprocess.STDOUT,
    grace: int = GRACE,
) -> Process:
    """Start a command in its own process group; `terminate()` ends the whole group.

    It has `grace` seconds to end by itself.
    """
    return subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(grace), *command],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        text=True,
        encoding="utf-8",
        errors="replace",
        process_group=0,
    )


def capture(
    command: Sequence[str], environment: Mapping[str, str], folder: Path = Path(), stdin: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run a command, which can ask nobody anything, to its end, and return its exit code and output."""
    return subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        check=False,
    )


def exit_with_parent(number: int = signal.SIGTERM) -> None:
    """Have the kernel signal this process when its parent, or the thread that started it, is gone; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def supervise(parent: int, begin: Callable[[], object], grace: int = GRACE) -> int:
    """Run `begin` in a child and return its exit code; end the group on request, or when the parent is gone.

    To be called by a process with one thread that leads its process group.
    """
    ending = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal ending
        if not ending:
            ending = True
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor is in the group itself
            os.killpg(0, signal.SIGINT)
            signal.signal(signal.SIGALRM, lambda *_: os.killpg(0, signal.SIGKILL))
            signal.alarm(grace)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    exit_with_parent()
    if os.getppid() != parent:
        return 128 + signal.SIGTERM
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # even if it was ignored before
        exit_with_parent(signal.SIGKILL)
        begin()
    while (code := _wait(child)) is None:
        if os.getppid() != parent and not ending:  # if the kernel sends no signal
            end(signal.SIGTERM, None)
    if ending or code < 0:
        os.killpg(0, signal.SIGKILL)  # what ignored the signal, or lost the command above it
    return code if code >= 0 else 128 - code


def _wait(child: int) -> int | None:
    """Return the exit code of the child; None if it still runs and its parent has to be checked meanwhile."""
    if sys.platform == "linux":
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    time.sleep(0.2)
    pid, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if pid else None


if __name__ == "__main__":
    _parent, _grace, *_command = sys.argv[1:]
    sys.exit(supervise(int(_parent), lambda: os.execvp(_command[0], _command), int(_grace)))
