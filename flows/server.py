"""The Prefect server of a run: the one at PREFECT_API_URL, or one that is started for the run."""

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

from gazette.core.errors import ConfigError
from gazette.pipeline import state, supervisor
from gazette.pipeline.execution import run

LOG = "server.log"
START_SECONDS = 180  # the first server of a folder creates its database, most of a minute on two busy cores

QUIET = {"DO_NOT_TRACK": "true", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}  # no telemetry
MINIMAL = {
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT__SERVER_EPHEMERAL": "1",  # without the services that only deployments need
    "PREFECT__SERVER_FINAL": "1",
}


def ensure_server(root: Path) -> None:
    """Set PREFECT_API_URL, if it is not set, to a server that ends with this process, however that ends.

    Call it before Prefect is imported, which reads its environment once.
    """
    os.environ.update(QUIET)
    if os.environ.get("PREFECT_API_URL"):
        return
    home = state.state_folder(root).absolute() / "prefect"
    os.environ["PREFECT_HOME"] = str(home)
    process, address = start(home)
    atexit.register(_end, process)  # after Prefect's last log lines, which it sends when threads end
    os.environ["PREFECT_API_URL"] = address
    importlib.import_module("prefect")  # takes seconds, less than the server
    wait(process, address, home)


def start(home: Path, port: int = 0, settings: Mapping[str, str] = MINIMAL) -> tuple[supervisor.Process, str]:
    """Start a server that ends with this process, with its database in `home`; returns it and its address.

    Without a `port` it takes a free one; raises ConfigError if another process uses it.
    """
    home.mkdir(parents=True, exist_ok=True)
    try:
        with socket.create_server(("127.0.0.1", port)) as free:
            port = free.getsockname()[1]
    except OSError as error:
        raise ConfigError(f"port {port}: {error.strerror}; choose another one") from error
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    command += ["--port", str(port)]
    environment = run.child_environment({**QUIET, **settings, "PREFECT_HOME": str(home)})
    with (home / LOG).open("w", encoding="utf-8") as log:
        return supervisor.start_command(command, home, environment, log), f"http://127.0.0.1:{port}/api"


def wait(process: supervisor.Process, address: str, home: Path) -> None:
    """Wait until the server answers; raises ConfigError if it ends before, or takes too long."""
    start = time.monotonic()
    while process.poll() is None and time.monotonic() - start < START_SECONDS:
        with suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5):
            return
        time.sleep(0.1)
    raise ConfigError(f"Prefect's server did not start within {START_SECONDS} seconds; see {home / LOG}")


def _end(process: supervisor.Process) -> None:
    process.terminate()
    process.wait()
