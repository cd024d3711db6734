"""The Prefect server of a run: the one at PREFECT_API_URL, or one that is started for the run."""

import atexit
import importlib
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from pydantic import ValidationError

from prefect_dvc import connection, state, supervisor
from prefect_dvc.core.errors import ConfigError, to_config_error
from prefect_dvc.core.escape import escape
from prefect_dvc.environment import QUIET, child_environment
from prefect_dvc.recovery import orphans

LOG = "server.log"
ANSWER_SECONDS = 10
START_SECONDS = 180  # the first server of a folder creates its database, most of a minute on two busy cores

MINIMAL = {
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT__SERVER_EPHEMERAL": "1",  # without the services that only deployments need
    "PREFECT__SERVER_FINAL": "1",
}


def ensure_server(root: Path) -> None:
    """Set PREFECT_API_URL, if it is not set, to a server that ends with this process, however that ends.

    Call it before Prefect is imported, which reads its environment once. Raises ConfigError if a server is named that
    does not answer, or if a setting of Prefect is invalid.
    """
    os.environ.update(QUIET)
    os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "3")  # in a quarter of a minute; its default is a whole one
    if os.environ.get("PREFECT_API_URL"):
        check_answers()
        return
    folder = home(root)
    os.environ["PREFECT_HOME"] = str(folder)
    process, address = start(folder)
    atexit.register(_end, process)  # after Prefect's last log lines, which it sends when threads end
    os.environ["PREFECT_API_URL"] = address
    _load_settings()
    importlib.import_module("prefect")  # takes seconds, less than the server
    wait(process, address, folder)


def _load_settings() -> None:
    """Load Prefect's settings; raises ConfigError if one is invalid, wherever it is set."""
    settings = importlib.import_module("prefect.settings")
    cure = "correct the PREFECT_* variable, prefect.toml, pyproject.toml or profile that sets it"
    try:
        settings.get_current_settings()
    except ValidationError as error:
        raise ConfigError(f"{to_config_error(error, f'Prefect, {error.title}')}\n{cure}") from None
    except ValueError as error:
        raise ConfigError(f"{connection.first_line(error)}; {cure}") from None


def home(root: Path) -> Path:
    """Return the folder of the database and the log of a project's own server."""
    return state.state_folder(root).absolute() / orphans.SERVER


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
    child = child_environment({**QUIET, **settings, "PREFECT_HOME": str(home)})
    with (home / LOG).open("w", encoding="utf-8") as log:
        return supervisor.start_command(command, home, child, log), f"http://127.0.0.1:{port}/api"


def wait(process: supervisor.Process, address: str, home: Path) -> None:
    """Wait until the server answers; raises ConfigError if it ends before, or takes too long."""
    start = time.monotonic()
    while process.poll() is None and time.monotonic() - start < START_SECONDS:
        with suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5):
            return
        time.sleep(0.1)
    log = home / LOG
    if process.poll() is None:
        raise ConfigError(f"Prefect's server did not start within {START_SECONDS} seconds; see {log}")
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    reason = next((line.strip() for line in reversed(lines) if line.strip()), "it gave no reason")
    raise ConfigError(f"Prefect's server ended as it started: {escape(reason)}; see {log}")


@contextmanager
def served(root: Path, port: int) -> Iterator[str]:
    """Yield the address of a server with its page: the one at PREFECT_API_URL, or one that ends with the block."""
    if os.environ.get("PREFECT_API_URL"):
        check_answers()
        yield os.environ["PREFECT_API_URL"]
        return
    folder, address = home(root), f"http://127.0.0.1:{port}/api"
    os.environ |= {"PREFECT_API_URL": address, "PREFECT_HOME": str(folder)}
    _load_settings()
    page = {"PREFECT_SERVER_UI_ENABLED": "true", "PREFECT_SERVER_UI_API_URL": address}
    process, _ = start(folder, port, page)
    try:
        wait(process, address, folder)
        yield address
    finally:
        _end(process)


def check_answers() -> None:
    """Raise ConfigError if the server at PREFECT_API_URL does not answer within `ANSWER_SECONDS`."""
    _load_settings()
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    def ask() -> None:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), get_client(sync_client=True) as client:
            client.read_flows(limit=1)

    with server_errors():
        connection.within(ANSWER_SECONDS, ask)


@contextmanager
def server_errors() -> Iterator[None]:
    """Raise ConfigError with the address, the reason and the cure if the server does not answer, or not as Prefect's.

    Stages that ended are in DVC's cache, whatever the server knows of them.
    """
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        where = f"Prefect's server at {connection.redact(os.environ['PREFECT_API_URL'])}"
        reason = connection.explain(error)
        if reason is None and not isinstance(error, httpx.HTTPError | httpx.InvalidURL):
            raise
        text = reason.text if reason else connection.first_line(error)
        cure = "start it, correct PREFECT_API_URL (http://host:4200/api), or unset it for a server of this run alone"
        if "credentials" in text:
            cure = "set PREFECT_API_KEY, or PREFECT_API_AUTH_STRING"
        rest = ". Nothing is lost: the same command then continues" if reason and reason.passing else ""
        raise ConfigError(f"{where} failed: {text}; {cure}{rest}") from error


def _end(process: supervisor.Process) -> None:
    process.terminate()
    process.wait()
