"""DVC started ahead: a process that has imported it and forks for each stage, which saves most of a second of each.

What is forked is a keeper with its child, as `child.start` makes them, and it is asked and answers over a socket: there
come the command and the end of the pipe to write to, there goes the keeper's number and, at the end, the exit code.
"""

import importlib
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from gazette.pipeline import supervisor

MODULES = (
    "dvc.cli.parser",
    "dvc.commands.repro",
    "dvc.repo",
    "dvc.rwlock",
    "dvc.scm",
    "scmrepo.git",
    "dulwich.worktree",
)


@contextmanager
def template(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of such a process, there as long as the context; the thread that enters must outlive the stages."""
    with tempfile.TemporaryDirectory(prefix="gazette-") as box:
        address = f"{box}/warm"
        command = [sys.executable, "-m", "gazette.pipeline.execution.forkserver", address]
        with (Path(box) / "log").open("w", encoding="utf-8") as log:
            process = supervisor.start(command, folder, environment, log)
        try:
            yield address
        finally:
            process.terminate()
            process.wait()


class Forked:
    """A `dvc` forked from the template; of a `Popen` what a stage needs."""

    def __init__(self, address: str, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        """Raises OSError where the template is not there, or not yet."""
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(address)
        read, write = os.pipe()
        asked = json.dumps({"words": words, "folder": str(folder), "environment": dict(environment)})
        socket.send_fds(self._line, [asked.encode() + b"\n"], [write])
        os.close(write)
        self.stdout = open(read, encoding="utf-8", errors="replace")  # noqa: PTH123, SIM115
        self._answers = self._line.makefile(encoding="utf-8")
        self._keeper = int(self._answers.readline())

    def terminate(self) -> None:
        """Ends the whole group."""
        with suppress(ProcessLookupError):
            os.kill(self._keeper, signal.SIGTERM)

    def wait(self) -> int:
        """The exit code; that of SIGKILL where the keeper could not say one."""
        code = self._answers.readline()
        self._answers.close()
        self._line.close()
        self.stdout.close()
        return int(code) if code else -signal.SIGKILL


def _serve(address: str) -> NoReturn:
    for module in MODULES:
        importlib.import_module(module)
    importlib.import_module("dvc.cli.parser").get_main_parser()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        while True:
            line, _ = door.accept()
            template = os.getpid()
            if os.fork() == 0:
                door.close()
                _answer(line, template)
            line.close()


def _answer(line: socket.socket, template: int) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgid(0, 0)
    said, (output, *_), _, _ = socket.recv_fds(line, 65536, 1)
    while not said.endswith(b"\n"):
        said += line.recv(65536)
    asked: dict[str, Any] = json.loads(said)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    line.sendall(f"{os.getpid()}\n".encode())
    code = supervisor.keep(template, lambda: _dvc(line, asked["words"]))
    line.sendall(f"{code}\n".encode())
    os._exit(0)


def _dvc(line: socket.socket, words: list[str]) -> NoReturn:
    line.close()
    sys.argv = ["dvc", *words]  # which DVC notes beside its locks
    code = importlib.import_module("dvc.cli").main(words)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve(sys.argv[1])
