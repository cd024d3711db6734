"""DVC started ahead: Python's fork server imports it once and forks for each stage, which saves most of a second.

It forks a supervisor with its child, as `supervisor.start_command` does.
"""

import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from prefect_dvc import supervisor
from prefect_dvc.recovery import orphans, repair

OWN_ENTRY = "prefect_dvc.execution.own_entry"  # imports DVC
MODULES = [
    "dvc.cachemgr",
    "dvc.cli.parser",
    "dvc.commands.repro",
    "dvc.data_cloud",
    "dvc.repo.artifacts",
    "dvc.repo.datasets",
    "dvc.repo.metrics",
    "dvc.repo.params",
    "dvc.repo.plots",
    "dvc.repo.stage",
    "dvc.rwlock",
    "dvc.scm",
    "dvc_data.hashfile.db.local",
    "dvc_data.hashfile.status",
    "dulwich.ignore",
    "dulwich.index",
    "dulwich.worktree",
    "platformdirs.unix",
    "scmrepo.git",
    OWN_ENTRY,
]
FILES = "_PREFECT_DVC_FILES"  # the variable that names the files of stages, for own_entry
_context = multiprocessing.get_context("forkserver")


def start(root: Path) -> None:
    """Start the fork server if none runs, without waiting for its imports; it ends with this process.

    It reads the project's files of stages ahead.
    """
    main = sys.modules["__main__"]
    main.__spec__ = ModuleSpec(f"{main.__package__ or ''}.__main__", None)  # a name that no child imports again
    _context.set_forkserver_preload([__name__, *MODULES])
    mark = os.environ.pop(orphans.MARK, "")  # the server outlives the run, and is no orphan
    files = [lock.with_suffix(".yaml").absolute() for lock in repair.list_locks(root)]
    os.environ[FILES] = os.pathsep.join(map(str, files))
    try:
        forkserver.ensure_running()
    finally:
        del os.environ[FILES]
        os.environ.update({orphans.MARK: mark} if mark else {})


class Forked:
    """A `dvc` of the fork server, with the part of `Popen` that a stage needs."""

    def __init__(self, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._codes, code = _context.Pipe(duplex=False)
        read, write = os.pipe()
        output = Connection(write, readable=False)  # a file that can be sent to a process
        self.stdout = open(read, encoding="utf-8", errors="replace")  # noqa: PTH123, SIM115
        arguments = (list(words), folder, dict(environment), output, code)
        self._supervisor = _context.Process(target=_supervise, args=arguments, daemon=True)
        self._supervisor.start()
        output.close()
        code.close()

    def terminate(self) -> None:
        """End the whole group."""
        self._supervisor.terminate()

    def wait(self) -> int:
        """Return the exit code; that of SIGKILL if the supervisor could not send one."""
        try:
            code: int = self._codes.recv()  # `exitcode` is wrong if two threads poll at once
        except EOFError:
            code = -signal.SIGKILL
        self._codes.close()
        self.stdout.close()
        self._supervisor.join()
        return code


def _supervise(
    words: list[str], folder: Path, environment: dict[str, str], output: Connection, code: Connection
) -> None:
    os.setpgid(0, 0)
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), output.fileno(), output.fileno())):
        os.dup2(file, number)
    output.close()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code.send(supervisor.supervise(os.getppid(), lambda: _dvc(words)))


def _dvc(words: list[str]) -> NoReturn:
    threading.Thread(target=_end_with_caller, args=(os.getppid(),), daemon=True).start()
    sys.argv = ["-c", *words]  # which DVC writes beside its locks: the fork server's own command is `python -c`
    importlib.import_module(OWN_ENTRY).change_dvc(words[words.index("--single-item") + 1])
    code = importlib.import_module("dvc.cli").main(words)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _end_with_caller(supervisor_id: int) -> None:
    """End the group when the process that asked for the stage is gone; the fork server stays as long as a stage."""
    caller = multiprocessing.parent_process()
    assert caller is not None
    caller.join()
    os.kill(supervisor_id, signal.SIGTERM)
