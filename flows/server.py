"""The Prefect server that a run talks to: the one at PREFECT_API_URL, or one for as long as the run takes."""

import atexit
import importlib
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from gazette.core.errors import Misconfigured
from gazette.pipeline import state, supervisor
from gazette.pipeline.execution import run

LOG = "server.log"
PATIENCE = 180  # seconds; the first server of a folder makes its database, on two busy cores for most of a minute

QUIET = {"DO_NOT_TRACK": "true", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}  # nobody phones home
SMALL = {
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT__SERVER_EPHEMERAL": "1",  # no services that only deployments need
    "PREFECT__SERVER_FINAL": "1",
}


def at_hand(root: Path) -> None:
    """Sets PREFECT_API_URL where it is not set, to a server that ends with this process, however that ends.

    To be called before Prefect is imported, which reads its environment once.
    """
    os.environ.update(QUIET)
    if os.environ.get("PREFECT_API_URL"):
        return
    home = state.folder(root).absolute() / "prefect"
    os.environ["PREFECT_HOME"] = str(home)
    process, address = start(home)
    atexit.register(_end, process)  # after Prefect's last words, which it says when threads end
    os.environ["PREFECT_API_URL"] = address
    importlib.import_module("prefect")  # takes seconds, the server takes more
    wait(process, address, home)


def start(home: Path, port: int = 0, settings: Mapping[str, str] = SMALL) -> tuple[supervisor.Process, str]:
    """A server of this process's with its database in `home`, and its address, where it will answer.

    Without a `port` it takes a free one; raises Misconfigured where another process has it.
    """
    home.mkdir(parents=True, exist_ok=True)
    try:
        with socket.create_server(("127.0.0.1", port)) as free:
            port = free.getsockname()[1]
    except OSError as error:
        raise Misconfigured(f"port {port}: {error.strerror}; give another one") from error
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    command += ["--port", str(port)]
    environment = run.environment({**QUIET, **settings, "PREFECT_HOME": str(home)})
    with (home / LOG).open("w", encoding="utf-8") as log:
        return supervisor.start(command, home, environment, log), f"http://127.0.0.1:{port}/api"


def wait(process: supervisor.Process, address: str, home: Path) -> None:
    """Until the server answers; raises Misconfigured where it ends before, or takes too long."""
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < PATIENCE:
        with suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5):
            return
        time.sleep(0.1)
    raise Misconfigured(f"Prefect's server did not start within {PATIENCE} seconds; {home / LOG} says why")


def _end(process: supervisor.Process) -> None:
    process.terminate()
    process.wait()
