"""The parent process: it follows the registry, and replaces a worker that dies."""

import os
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from uvicorn.supervisors import Multiprocess

from gazette.core.errors import ConfigError
from gazette.serving.online import metrics, settings
from gazette.serving.online.follow import Follower
from gazette.serving.online.roster import Served
from gazette.serving.online.settings import Settings
from gazette.serving.online.source import Source

START_SECONDS = 60


@dataclass(frozen=True)
class Address:
    """Where a server listens, and with which certificate."""

    host: str
    port: int
    tls_cert: str = ""
    tls_key: str = ""


class _Supervisor(Multiprocess):
    """uvicorn's supervisor; it forgets the gauges of a worker that died, and says when the first one answers."""

    def __init__(self, config: uvicorn.Config, sockets: list[object], on_ready: Callable[[], None]) -> None:
        super().__init__(config, sockets)  # type: ignore[arg-type]
        self.on_ready = on_ready
        self.failed = False

    def init_processes(self) -> None:
        super().init_processes()
        for process in self.processes:
            if not process.wait_until_ready(START_SECONDS):
                self.failed = True
                self.should_exit.set()
                return
        self.on_ready()

    def keep_subprocess_alive(self) -> None:
        before = {process.pid for process in self.processes}
        super().keep_subprocess_alive()
        for pid in before - {process.pid for process in self.processes}:
            metrics.forget_process(pid)  # type: ignore[arg-type]


def serve(
    options: Settings, sources: tuple[Source, Source | None], address: Address, on_ready: Callable[[Served, str], None]
) -> None:
    """Serve until SIGINT or SIGTERM; raises ConfigError if the version may not answer, or the port is taken."""
    with tempfile.TemporaryDirectory(prefix="gazette-serve-") as box:
        folder = Path(box)
        follower = Follower(folder, *sources, options.public_key)
        settings.write(folder, options)
        os.environ[settings.VARIABLE] = str(folder)
        metrics.use_folder(folder / "metrics")
        config = uvicorn.Config(
            "gazette.serving.online.app:create",
            factory=True,
            host=address.host,
            port=address.port,
            workers=options.workers,
            ssl_certfile=address.tls_cert or None,
            ssl_keyfile=address.tls_key or None,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=round(options.limits.grace_seconds),
        )
        try:
            socket = config.bind_socket()
        except SystemExit:
            raise ConfigError(f"{address.host}, port {address.port}: cannot listen there; choose another one") from None
        where = f"{'https' if address.tls_cert else 'http'}://{address.host}:{socket.getsockname()[1]}"
        supervisor = _Supervisor(config, [socket], lambda: on_ready(follower.roster.main, where))
        stop = threading.Event()
        thread = threading.Thread(target=follower.run, args=(stop,), name="follower", daemon=True)
        thread.start()
        supervisor.run()
        stop.set()
        thread.join(timeout=5)
        if supervisor.failed:
            raise ConfigError("a worker did not start; its lines are above")
