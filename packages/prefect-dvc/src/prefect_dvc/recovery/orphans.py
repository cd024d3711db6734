"""Processes of a project that outlived what started them: a stage without its DVC, a Prefect server without its run.

They are recognized by their environment: DVC gives each stage DVC_ROOT and DVC_STAGE, and a guarded run gives all its
children PREFECT_DVC_RUN. A process without a mark is never touched.
"""

import os
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from prefect_dvc import state, supervisor
from prefect_dvc.recovery import rwlock

MARK = "PREFECT_DVC_RUN"  # in the environment of whatever a run starts: the project's folder
GRACE = 5  # seconds between asking a process to end and killing it
_SERVER = "prefect.server.api.server:create_app"
SERVER = "prefect"  # the folder of a run's Prefect server, in that of the project's state


def end_orphans(root: Path) -> list[str]:
    """End what earlier runs left running; a line for each. The caller holds the project's lock, so no run is alive."""
    lines = {process: f"ended {_describe(process)}, which an earlier run left running" for process in _orphans(root)}
    for process in lines:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in _still_running(list(lines)):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _still_running(list(lines))
    return list(lines.values())


def _still_running(processes: list[psutil.Process]) -> list[psutil.Process]:
    give_up = time.monotonic() + GRACE
    while (running := [process for process in processes if is_running(process)]) and time.monotonic() < give_up:
        time.sleep(0.02)
    return running


def is_running(process: psutil.Process) -> bool:
    """Check whether a process still runs; a zombie does not."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def exit_with_dvc() -> None:
    """End this process, a stage that DVC started, when DVC is gone: at once on Linux, within a second elsewhere."""
    supervisor.exit_with_parent(signal.SIGKILL)
    threading.Thread(target=_watch, args=(Path(os.environ["DVC_ROOT"]),), daemon=True).start()


def _watch(root: Path) -> None:
    """Detect what the kernel does not report: DVC gone before `exit_with_dvc`, or gone behind a shell that lives on."""
    process = psutil.Process()
    while not is_orphan(process, root):
        time.sleep(1)
    process.kill()


def is_orphan(process: psutil.Process, root: Path) -> bool:
    """Check that no ancestor runs the project: none is in DVC's lock, none works in its folder.

    Ancestors that are part of a stage, such as DVC's shell, do not count; those that cannot be inspected do.
    """
    holders = rwlock.living_holders(root)
    ancestors = [parent for parent in process.parents() if not _is_stage(_environment(parent), root)]
    return not any(parent.pid in holders or (parent.pid != 1 and _works_in(parent, root)) for parent in ancestors)


def _orphans(root: Path) -> list[psutil.Process]:
    """Return the orphans, never this process or one of its ancestors."""
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    processes = psutil.process_iter(["environ", "cmdline"], ad_value={})
    return [process for process in processes if process.pid not in spared and _is_left_over(process, root)]


def _is_left_over(process: psutil.Process, root: Path) -> bool:
    environment, command = process.info["environ"], process.info["cmdline"]
    if environment.get(MARK) == str(root.resolve()):
        return True
    dvc = state.dvc_root(root)
    return (_is_stage(environment, dvc) or _is_server(environment, command, root)) and is_orphan(process, dvc)


def _is_stage(environment: Mapping[str, str], root: Path) -> bool:
    return "DVC_STAGE" in environment and Path(environment.get("DVC_ROOT", "/")).resolve() == root.resolve()


def _is_server(environment: Mapping[str, str], command: list[str], root: Path) -> bool:
    home = (state.state_path(root) / SERVER).resolve()
    return _SERVER in command and Path(environment.get("PREFECT_HOME", "/")).resolve() == home


def _environment(process: psutil.Process) -> Mapping[str, str]:
    try:
        return dict(process.environ())
    except psutil.Error:
        return {}


def _works_in(process: psutil.Process, root: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(root.resolve())
    except psutil.Error as error:
        return isinstance(error, psutil.AccessDenied)


def _describe(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        words = " ".join(process.cmdline()[:6])
        return f"process {process.pid} ({words[:100]})"
    return f"process {process.pid}"
