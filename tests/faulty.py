"""A real MLflow server on a database of its own, and a proxy before it that fails on request."""

import contextlib
import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WATCH = """
CREATE TABLE moves (alias TEXT, origin INTEGER, target INTEGER);
CREATE TRIGGER moved AFTER UPDATE ON registered_model_aliases WHEN OLD.version <> NEW.version
  BEGIN INSERT INTO moves VALUES (NEW.alias, OLD.version, NEW.version); END;
CREATE TRIGGER came AFTER INSERT ON registered_model_aliases
  BEGIN INSERT INTO moves VALUES (NEW.alias, NULL, NEW.version); END;
CREATE TRIGGER went AFTER DELETE ON registered_model_aliases
  BEGIN INSERT INTO moves VALUES (OLD.alias, OLD.version, NULL); END;
"""


@dataclass
class Fault:
    """Which request fails (its path ends so and its body holds a word), how, and how many times more."""

    path: str
    word: str
    how: str  # 500 before, 500 after, dropped before, dropped after, late
    times: int
    met: int = 0


class Proxy(ThreadingHTTPServer):
    """Hands every request to the server, but for those that are to fail; `down` drops them all."""

    daemon_threads = True

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.fault: Fault | None = None
        self.down = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is no news."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, *words: Any) -> None:
        """Says nothing."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault, how = self.server.fault, ""
        path = self.path.partition("?")[0]
        if fault and fault.times > 0 and path.endswith(fault.path) and fault.word.encode() in body:
            fault.times, fault.met, how = fault.times - 1, fault.met + 1, fault.how
        if self.server.down or how == "dropped before":
            return self._drop()
        if how == "500 before":
            return self._answer(500, b'{"error_code": "INTERNAL_ERROR", "message": "injected"}')
        status, answer = self._ask(body)
        if how == "dropped after":
            return self._drop()
        if how == "500 after":
            return self._answer(500, b'{"error_code": "INTERNAL_ERROR", "message": "injected"}')
        if how == "late":
            time.sleep(3)
        return self._answer(status, answer)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _pass_on

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        headers = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "connection")}
        connection.request(self.command, self.path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def mlflow_server(folder: Path) -> Iterator[tuple[int, Path]]:
    """A server with one worker; its port and its database, which notes every move of an alias in table `moves`."""
    database, port = folder / "server.db", _free()
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--backend-store-uri",
        f"sqlite:///{database}",
        "--workers",
        "1",
    ]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--host", "127.0.0.1", "--port", str(port)]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # eight processes less
    environment = {**os.environ, **quiet}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait(f"http://127.0.0.1:{port}/health")
            with sqlite3.connect(database) as connection:
                connection.executescript(WATCH)
            yield port, database
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # asked to end, its parent process may linger
            server.wait()


def moves(database: Path) -> list[tuple[str, int | None, int | None]]:
    """Every change of an alias since the last call."""
    with sqlite3.connect(database, timeout=60) as connection:
        changes = list(connection.execute("SELECT * FROM moves"))
        connection.execute("DELETE FROM moves")
    return changes


LOCKER = "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None); " + (
    "c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); time.sleep(float(sys.argv[2]))"
)


@contextlib.contextmanager
def locked(database: Path, seconds: float) -> Iterator[None]:
    """Another process keeps the database for itself for so long."""
    words = [sys.executable, "-c", LOCKER, str(database), str(seconds)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as locker:
        assert locker.stdout and locker.stdout.readline() == "locked\n"
        yield


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(address: str) -> None:
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.3)
    raise TimeoutError(address)
