"""PostgreSQL, an S3 server, and MLflow and Prefect on them, on free ports of this machine; all end with the tests.

The S3 server is moto's: the real protocol, and objects in memory.
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from prefect_dvc import supervisor
from prefect_dvc.environment import QUIET, child_environment

POSTGRESQL = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=None)
KEYS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
START_SECONDS = 120


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


class Server:
    """A server on a port that stays its own; `start` and `stop` may alternate."""

    def __init__(self, command: Sequence[str], port: int, folder: Path, environment: Mapping[str, str]) -> None:
        self.command, self.port, self.folder, self.environment = command, port, folder, environment
        self.log = folder / "server.log"
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("a") as file:
            self.process = supervisor.start_command(self.command, self.folder, self.environment, file)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def wait(self, path: str = "/") -> None:
        """Wait until it answers HTTP with success."""

        def answers() -> bool:
            with suppress(OSError), urllib.request.urlopen(self.address + path, timeout=5):
                return True
            return False

        self.wait_for(answers)

    def listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def wait_for(self, answers: Callable[[], bool]) -> None:
        until = time.monotonic() + START_SECONDS
        while not answers():
            assert self.process.poll() is None and time.monotonic() < until, self.log.read_text()
            time.sleep(0.1)


class PostgreSQL(Server):
    """A cluster of its own, in a folder that its unprivileged user owns; without fsync, since nothing has to last."""

    def __init__(self, box: Path | None = None) -> None:
        # The folders of pytest are ours alone.
        self.box = box or Path(tempfile.mkdtemp(prefix="postgresql", dir="/tmp"))
        user = pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        os.chown(self.box, user.pw_uid, user.pw_gid)
        self.drop = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
        self.drop = self.drop if os.getuid() == 0 else []
        data, port = self.box / "data", free_port()
        words = ["--username=gazette", "--auth=trust", "--no-sync", "--encoding=UTF8", "--wal-segsize=1"]
        self.run("initdb", f"--pgdata={data}", *words)
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.box, "fsync": "off"}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [*self.drop, str(_binary("postgres")), "-D", str(data), *words]
        super().__init__(command, port, self.box, child_environment({}))
        self.wait_for(self.is_ready)

    def run(self, name: str, *words: str) -> str:
        command = [*self.drop, str(_binary(name)), *words]
        result = subprocess.run(command, cwd=self.box, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def is_ready(self) -> bool:
        command = [str(_binary("pg_isready")), "--quiet", "--host=127.0.0.1", f"--port={self.port}"]
        return subprocess.run(command, check=False).returncode == 0

    def create(self, database: str) -> str:
        """Create a database and return the rest of its address, after the scheme."""
        self.run("createdb", "--host=127.0.0.1", f"--port={self.port}", "--username=gazette", database)
        return f"://gazette@127.0.0.1:{self.port}/{database}"

    def ask(self, database: str, statement: str) -> str:
        words = ["--host=127.0.0.1", f"--port={self.port}", "--username=gazette", "--tuples-only", "--no-align"]
        return self.run("psql", *words, f"--command={statement}", database)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.box)


class ObjectStorage(Server):
    """An S3 server; `variables` are those of its clients."""

    def __init__(self, folder: Path, *buckets: str) -> None:
        port = free_port()
        command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
        super().__init__(command, port, folder, child_environment({}))
        self.variables = {**KEYS, "AWS_ENDPOINT_URL": self.address}
        self.wait("/moto-api/")
        for bucket in buckets:
            urllib.request.urlopen(urllib.request.Request(f"{self.address}/{bucket}", method="PUT"))


class Tracking(Server):
    """`mlflow server` with its runs at `database` and its files below `artifacts`."""

    def __init__(self, folder: Path, database: str, artifacts: str, variables: Mapping[str, str]) -> None:
        port = free_port()
        words = ["--backend-store-uri", database, "--artifacts-destination", artifacts, "--workers", "1"]
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), *words]
        quiet = {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        super().__init__(command, port, folder, child_environment({**quiet, **variables}))


class Orchestration(Server):
    """Prefect's server with its database at `database`."""

    def __init__(self, folder: Path, database: str) -> None:
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
        settings = {"PREFECT_API_DATABASE_CONNECTION_URL": database, "PREFECT_SERVER_UI_ENABLED": "false"}
        environment = child_environment({**QUIET, **settings, "PREFECT_HOME": str(folder)})
        super().__init__([*command, "--port", str(port)], port, folder, environment)


def _binary(name: str) -> Path:
    assert POSTGRESQL is not None
    return POSTGRESQL / name
