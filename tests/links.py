"""A link to a server on this machine that is slow, or on which somebody else answers as S3 does when it refuses."""

import socket
import threading
import time
from contextlib import suppress

# What S3 and MinIO answer, by their references; moto checks neither clocks nor when a token expires.
REFUSALS = {
    "ExpiredToken": ("400 Bad Request", "The provided token has expired."),
    "RequestTimeTooSkewed": (
        "403 Forbidden",
        "The difference between the request time and the server's time is too large.",
    ),
    "XMinioStorageFull": ("507 Insufficient Storage", "Storage backend has reached its minimum free drive threshold."),
}


class Link:
    """Passes bytes on to a port, each way after `delay` seconds; with a `refusal`, requests get that answer instead."""

    def __init__(self, port: int, listener: socket.socket | None = None) -> None:
        self.upstream, self.delay, self.refusal = port, 0.0, ""
        self.listener = listener or socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def close(self) -> None:
        with suppress(OSError):  # closed before
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed: the test is over
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self.upstream)) as server:
            threading.Thread(target=self._pass, args=(server, client), daemon=True).start()
            self._pass(client, server)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):  # either side has ended
            while data := source.recv(2**20):
                if self.refusal and data.split(b" ")[0] in (b"GET", b"PUT", b"POST", b"HEAD", b"DELETE"):
                    source.sendall(_refuse(self.refusal, data.startswith(b"HEAD")))
                    source.shutdown(socket.SHUT_WR)
                    source.recv(2**20)  # the body, or the client would see a broken pipe instead of the answer
                    return
                time.sleep(self.delay)
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def _refuse(code: str, head_only: bool) -> bytes:
    status, message = REFUSALS[code]
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    fields = ("Content-Type: application/xml", f"Content-Length: {len(body)}", "Connection: close")
    head = "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""])
    return (head if head_only else head + body).encode()
