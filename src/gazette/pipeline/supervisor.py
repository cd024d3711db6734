"""Child processes that do not outlive their parent: a keeper stands between, in a process group with the child.

The keeper is told when the parent's thread that started it is gone, whatever ended it, and ends the group: first as
Ctrl-C does, so that DVC lets go of its locks, then for good. That thread must therefore wait for the child.
Started by its file's name and without site-packages, so it costs some thirty milliseconds.
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

GRACE = 5  # seconds between asking a group to end and ending it

Process = subprocess.Popen[str]

_PR_SET_PDEATHSIG = 1


def start(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    output: int | IO[str] | None = subprocess.PIPE,
    errors: int | IO[str] | None = subprocess.STDOUT,
    grace: int = GRACE,
) -> Process:
    """Starts a command in a group of its own, its streams where it is told; `terminate()` ends the whole group.

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


def end_with_parent() -> None:
    """Has this process told to end when its parent is gone, or the parent's thread that started it."""
    _die_with_parent(signal.SIGTERM)


def _die_with_parent(number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def keep(parent: int, begin: Callable[[], object], grace: int = GRACE) -> int:
    """Is the keeper of a child that does `begin`: ends the group when asked to, or when the parent is gone.

    The exit code of the child; to be called by a process with one thread, the leader of its group.
    """
    asked = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the group's, which the keeper is in
            os.killpg(0, signal.SIGINT)
            signal.signal(signal.SIGALRM, lambda *_: os.killpg(0, signal.SIGKILL))
            signal.alarm(grace)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    _die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        return 128 + signal.SIGTERM
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # not ignored, whoever ignored it before
        _die_with_parent(signal.SIGKILL)
        begin()
    while (code := _ended(child)) is None:
        if os.getppid() != parent and not asked:  # where the kernel does not tell
            end(signal.SIGTERM, None)
    if asked or code < 0:
        os.killpg(0, signal.SIGKILL)  # whatever of the group did not listen, or lost the command above it
    return code if code >= 0 else 128 - code


def _ended(child: int) -> int | None:
    """The exit code of the child; None where it still runs and its parent has to be looked after meanwhile."""
    if sys.platform == "linux":
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    time.sleep(0.2)
    found, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


if __name__ == "__main__":
    _parent, _grace, *_command = sys.argv[1:]
    sys.exit(keep(int(_parent), lambda: os.execvp(_command[0], _command), int(_grace)))
