"""Processes of a project that outlived what started them: a stage without its DVC, a Prefect server without its run.

DVC gives each stage DVC_ROOT and DVC_STAGE, and a guarded run gives all its children GAZETTE_RUN; by these a process
is known to be this project's. One that is not marked is never touched.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from gazette.pipeline.recovery import rwlock

MARK = "GAZETTE_RUN"  # in the environment of whatever a run starts: the project's folder
GRACE = 5  # seconds between asking a process to end and ending it
_SERVER = "prefect.server.api.server:create_app"
_PR_SET_PDEATHSIG = 1


def end(root: Path) -> list[str]:
    """Ends what earlier runs left running, and says so. The caller holds the project's lock, so no run is alive."""
    found = {process: _told(process) for process in _left(root)}
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in _still_there(list(found)):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _still_there(list(found))
    return [f"ended {told}, which an earlier run left running" for told in found.values()]


def _still_there(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not gone within the time of grace."""
    give_up = time.monotonic() + GRACE
    while (there := [process for process in processes if is_there(process)]) and time.monotonic() < give_up:
        time.sleep(0.02)
    return there


def is_there(process: psutil.Process) -> bool:
    """Whether a process still does anything; one that waits to be reaped does not."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def follow() -> None:
    """Ends this process, a stage that DVC started, when DVC is gone: at once on Linux, within a second elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch, args=(Path(os.environ["DVC_ROOT"]),), daemon=True).start()


def _watch(root: Path) -> None:
    """Sees also what the kernel does not tell: DVC gone before it was asked, or gone behind a shell that is not."""
    me = psutil.Process()
    while not is_orphan(me, root):
        time.sleep(1)
    me.kill()


def is_orphan(process: psutil.Process, root: Path) -> bool:
    """Whether nothing above a process runs the project any more: no process of DVC's lock, none at work in its folder.

    What above it is itself part of a stage, say DVC's shell, does not count; what cannot be seen does.
    """
    named = rwlock.named(root)
    above = [parent for parent in process.parents() if not _is_stage(_environment(parent), root)]
    return not any(parent.pid in named or (parent.pid != 1 and _works_in(parent, root)) for parent in above)


def _left(root: Path) -> list[psutil.Process]:
    """Never this process, nor one that it hangs on."""
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    marked = [
        (process, process.info["environ"] or {}, process.info["cmdline"] or [])
        for process in psutil.process_iter(["environ", "cmdline"])
        if process.pid not in spared
    ]
    return [
        process
        for process, environment, command in marked
        if environment.get(MARK) == str(root.resolve())
        or ((_is_stage(environment, root) or _is_server(environment, command, root)) and is_orphan(process, root))
    ]


def _is_stage(environment: Mapping[str, str], root: Path) -> bool:
    return "DVC_STAGE" in environment and Path(environment.get("DVC_ROOT", "/")).resolve() == root.resolve()


def _is_server(environment: Mapping[str, str], command: list[str], root: Path) -> bool:
    home = (root / ".gazette" / "prefect").resolve()
    return _SERVER in command and Path(environment.get("PREFECT_HOME", "/")).resolve() == home


def _environment(process: psutil.Process) -> Mapping[str, str]:
    found: dict[str, str] = {}
    with suppress(psutil.Error):
        found = process.environ()
    return found


def _works_in(process: psutil.Process, root: Path) -> bool:
    with suppress(psutil.NoSuchProcess):
        try:
            return Path(process.cwd()).is_relative_to(root.resolve())
        except psutil.AccessDenied:
            return True
    return False


def _told(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        words = " ".join(process.cmdline()[:6])
        return f"process {process.pid} ({words[:100]})"
    return f"process {process.pid}"
