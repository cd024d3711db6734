"""Processes that have imported the heavy packages and fork for each command of a test, which saves it seconds.

Such a command is a process as any other, but for its imports, its parent and its group: what is about processes,
their start or their end runs without. Prefect has a process of its own, since its import changes what is logged.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import types
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

STAGES, FLOWS = "WARM_STAGES", "WARM_FLOWS"  # variables with the addresses of the processes
SHARED = "WARM_SHARED"  # variable with the address of the process for stages that all workers of a test run share
# What a command imports, much of it only as it runs; a name with a colon is that of a function to call.
_DVC = [
    "dvc.cli.parser", "dvc.cachemgr", "dvc.data_cloud", "dvc.rwlock", "dvc.utils.strictyaml", "dvc.repo.artifacts",
    "dvc.repo.brancher", "dvc.repo.datasets", "dvc.repo.graph", "dvc.repo.index", "dvc.repo.metrics",
    "dvc.repo.stage", "dvc.repo.trie", "dvc_render", "dvc_data.hashfile.db.local", "dvc_data.hashfile.status",
    "fsspec.implementations.memory", "networkx", "scmrepo.git", "pygit2", "dulwich.worktree", "configobj",
    "filelock", "flufl.lock", "platformdirs", "ruamel.yaml", "zc.lockfile",
]  # fmt: skip
_PREFECT = [
    "prefect", "prefect.flows", "prefect.artifacts", "prefect.events", "prefect.input", "prefect.runtime",
    "prefect_dask", "fastapi", "graphviz", "pydantic.v1",
]  # fmt: skip
PACKAGES = {STAGES: _DVC, FLOWS: [*_PREFECT, *_DVC]}
SETTINGS = {"DO_NOT_TRACK": "true"}
PROGRAMS = ["dvc"]
FLOW_MODULES = ["prefect_dvc", "from prefect_dvc"]
# A sitecustomize.py: hands the command to the process that waits at the address, and ends as it ends.
HAND_OVER = """\
import json, os, socket, sys
_words = sys.orig_argv[1:]
_word = next((word for word in _words if word not in ("-m", "-c")), "")
_address = None
if _word.startswith({modules}):
    _address = os.environ.get("{flows}")
elif os.path.basename(_word) in {programs} and "serve" not in _words:
    _address = os.environ.get("{stages}")
if _address:
    with socket.socket(socket.AF_UNIX) as warm:
        warm.connect(_address)
        message = json.dumps([_words, os.getcwd(), dict(os.environ), sys.path]).encode()
        socket.send_fds(warm, [len(message).to_bytes(8, "big")], [0, 1, 2])
        warm.sendall(message)
        code = warm.recv(1)
    os._exit(code[0] if code else 1)
"""
_servers: dict[str, subprocess.Popen[bytes]] = {}
_running: set[int] = set()  # commands of this process


def hand_over() -> str:
    """Return the program that hands a command over."""
    return HAND_OVER.format(modules=tuple(FLOW_MODULES), flows=FLOWS, programs=PROGRAMS, stages=STAGES)


def address(kind: str, base: Mapping[str, str] | None = None) -> str:
    """Return where the warm process of a kind waits; it starts at the first call and ends with the tests."""
    from prefect_dvc.environment import inherited as inherit  # not in the warm process: a clone has its own

    if kind == STAGES and SHARED in os.environ:
        return os.environ[SHARED]
    if kind not in _servers:
        folder = tempfile.mkdtemp(prefix="warm", dir="/tmp")  # the path of a socket has a hundred characters
        atexit.register(shutil.rmtree, folder)
        Path(folder, "sitecustomize.py").write_text(hand_over())
        command = [sys.executable, __file__, f"{folder}/socket", *PACKAGES[kind]]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        inherited = inherit() | SETTINGS | dict(base or {})
        _servers[kind] = subprocess.Popen(command, env=inherited, **pipes)  # type: ignore[call-overload]
        stdout = _servers[kind].stdout
        assert stdout is not None
        stdout.readline()  # until it listens; it imports while the first command waits
    return str(_servers[kind].args[2])  # type: ignore[index]


def share() -> None:
    """Start the process for stages, which the workers of this test run use too."""
    os.environ[SHARED] = address(STAGES)


def environment(kind: str = STAGES, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables with which a command runs from the warm process of a kind."""
    socket = address(kind, base)
    return {kind: socket, "PYTHONPATH": str(Path(socket).parent)}


def main(path: str, packages: list[str]) -> None:
    """Import packages, wait for commands at a path, and fork for each."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    print(flush=True)
    threading.Thread(target=_end_with_caller, daemon=True).start()
    for name in packages:
        module, _, function = name.partition(":")
        imported = importlib.import_module(module)
        if function:
            getattr(imported, function)()
    gc.collect()
    gc.freeze()  # or each command would copy all of it, to look for garbage
    while True:
        connection, _ = listener.accept()
        command = _fork(listener, connection)
        _running.add(command)
        for wait in (_end_with_client, _report):
            threading.Thread(target=wait, args=(command, connection), daemon=True).start()


def _end_with_caller() -> None:
    os.read(0, 1)
    os._exit(0)


def _fork(listener: socket.socket, connection: socket.socket) -> int:
    """Start the command that a client hands over, in a session of its own, and return its process id."""
    size, files, _, _ = socket.recv_fds(connection, 8, 3)
    message = connection.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
    command = os.fork()  # takes 0.06 s with all that is imported, so a command costs only one
    if command == 0:
        os.setsid()
        listener.close()
        connection.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        _be_command(*json.loads(message))
    for file in files:
        os.close(file)
    return command


def _end_with_client(command: int, connection: socket.socket) -> None:
    """End the command's session when whoever handed it over is gone."""
    connection.recv(1)
    if command in _running:
        os.killpg(command, signal.SIGKILL)


def _report(command: int, connection: socket.socket) -> None:
    """Wait for the command, which may have become another program, and send its exit code."""
    code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
    _running.remove(command)
    with contextlib.suppress(BrokenPipeError):  # the client is gone
        connection.send(bytes([code if code >= 0 else 128 - code]))


def _be_command(words: list[str], folder: str, environment: dict[str, str], path: list[str]) -> NoReturn:
    """Do what Python does with a script, without the imports."""
    form = {"encoding": "utf-8", "errors": "backslashreplace", "closefd": False, "buffering": 1}
    sys.stdin, sys.stdout, sys.stderr = (open(number, mode, **form) for number, mode in enumerate("rww"))  # noqa: SIM115, PTH123
    os.chdir(folder)
    os.environ.clear()
    guard = next(place for place in path if Path(place, "sitecustomize.py").exists())
    runpy.run_path(f"{guard}/sitecustomize.py")
    os.environ.update(environment)
    os.environ |= {"DVC_ROOT": "/"} if "DVC_STAGE" in environment else {}  # or it would end: DVC is not its parent
    sys.orig_argv = [sys.executable, *words]
    code: object = None
    try:
        _run_program(words, path)
    except SystemExit as end:
        code = end.code
    except Exception:  # noqa: BLE001
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _run_program(words: list[str], path: list[str]) -> None:
    """Do with a script, a module (`-m`) or a program (`-c`) what Python does."""
    if words[0] == "-m":
        sys.argv, sys.path = words[1:], [str(Path.cwd()), *path]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif words[0] == "-c":
        sys.argv, sys.path = ["-c", *words[2:]], ["", *path]
        sys.modules["__main__"] = types.ModuleType("__main__")
        exec(words[1], vars(sys.modules["__main__"]))
    else:
        sys.argv, sys.path = words, [str(Path(words[0]).parent), *path]
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
