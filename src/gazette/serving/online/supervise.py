"""The parent process: it follows the registry, and replaces a worker that dies."""

import os
import signal
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from prefect_dvc.core.errors import ConfigError
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from gazette.serving.journal import keeper
from gazette.serving.journal.params import Params
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

    def url(self, port: int) -> str:
        """Return the address as a URL, at the port that was free."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_cert else 'http'}://{host}:{port}"

    def bind(self) -> socket.socket:
        """Return a socket at the address; raises ConfigError if there can be none."""
        bound = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((self.host, self.port))
        except OSError as error:
            bound.close()
            raise ConfigError(
                f"--host {self.host}, --port {self.port}: cannot listen there: {error.strerror}; choose another one"
            ) from None
        return bound

    def check_certificate(self) -> None:
        """Raise ConfigError if certificate and key are not files in PEM that belong together."""
        if not self.tls_cert:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.tls_cert, self.tls_key, password="")  # or it would ask for one
        except OSError as error:
            raise ConfigError(
                f"--tls-cert {self.tls_cert}, --tls-key {self.tls_key}: {error.strerror or error}; expected PEM files, "
                "a certificate and its private key without a password"
            ) from None


class _Supervisor(Multiprocess):
    """uvicorn's supervisor; `begin` checks the first version while the workers import what they need."""

    def __init__(
        self, config: uvicorn.Config, socket: socket.socket, begin: Callable[[], None], on_ready: Callable[[], None]
    ) -> None:
        super().__init__(config, [socket])
        self.begin, self.on_ready, self.ready = begin, on_ready, False

    def init_processes(self) -> None:
        with _interruptible():
            super().init_processes()
            try:
                self.begin()
                self.ready = all(process.wait_until_ready(START_SECONDS) for process in self.processes)
            except BaseException:
                self.terminate_all()
                for worker in self.processes:  # one that is importing would go on, and miss the server's folder
                    worker.process.kill()
                    worker.join()
                raise
        if not self.ready:
            self.should_exit.set()
            return
        self.on_ready()

    @property
    def failed(self) -> bool:
        """Whether a worker could not start."""
        return not self.ready or any(process.exitcode == STARTUP_FAILURE for process in self.processes)

    def terminate_all(self) -> None:
        for listening in self.sockets:
            listening.close()  # or clients would wait for a server that accepts nobody
        super().terminate_all()

    def keep_subprocess_alive(self) -> None:
        before = {process.pid for process in self.processes}
        super().keep_subprocess_alive()
        for pid in before - {process.pid for process in self.processes}:
            metrics.forget_process(pid)  # type: ignore[arg-type]


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGINT and SIGTERM end a start at once, which may wait for a registry."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def serve(
    options: Settings,
    sources: tuple[Source, Source | None],
    address: Address,
    params: Params,
    on_ready: Callable[[Served, str], None],
) -> None:
    """Serve until SIGINT or SIGTERM; raises ConfigError if the version may not answer, or the port is taken."""
    address.check_certificate()
    with tempfile.TemporaryDirectory(prefix="gazette-serve-") as box:
        folder = Path(box)
        follower = Follower(folder, *sources, options.public_key, options.signers)
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
            ws="none",
            proxy_headers=False,
            timeout_keep_alive=75,  # longer than a load balancer's 60 s, or its next request meets a closed connection
            timeout_graceful_shutdown=round(options.limits.grace_seconds),
        )
        listening = address.bind()
        # head and body are two writes; without this the second waits 40 ms for the client's acknowledgement
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        where = address.url(listening.getsockname()[1])
        stop = threading.Event()
        thread = threading.Thread(target=follower.run, args=(stop,), name="follower", daemon=True)

        def begin() -> None:
            follower.begin()
            thread.start()
            if options.journal:
                arguments = (Path(options.journal), params, stop)
                threading.Thread(target=keeper.run, args=arguments, name="keeper", daemon=True).start()

        supervisor = _Supervisor(config, listening, begin, lambda: on_ready(follower.roster.main, where))
        supervisor.run()
        stop.set()
        thread.join(timeout=5)
        if supervisor.failed:
            raise ConfigError("a worker did not start; its lines are above")
