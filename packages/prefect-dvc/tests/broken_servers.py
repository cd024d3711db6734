"""Servers as they are on a bad day: one that is not there, one that never answers, one that answers something else."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HTML = b"<!doctype html><title>Sign in</title>"


def _response(status: str, body: bytes = HTML) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


ANSWERS = {
    "silent": None,  # accepts, and never says a word
    "drip": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n",  # a byte now and then
    "reset": b"",
    "garbage": b"\x00\xff\x15\x03\x01 not a protocol\r\n\r\n",
    "page": _response("200 OK"),
    "401": _response("401 Unauthorized"),
    "404": _response("404 Not Found"),
    "500": _response("500 Internal Server Error"),
    "503": _response("503 Service Unavailable"),
}


@contextmanager
def broken_server(kind: str) -> Iterator[str]:
    """Yield `host:port` of a server that answers every request in one way of `ANSWERS`; "closed": there is none."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        if kind != "closed":
            threading.Thread(target=_serve, args=(listener, kind), daemon=True).start()
            yield address
            return
    yield address


def _serve(listener: socket.socket, kind: str) -> None:
    with suppress(OSError):  # closed: the test is over
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_answer, args=(client, kind), daemon=True).start()


def _answer(client: socket.socket, kind: str) -> None:
    answer = ANSWERS[kind]
    with suppress(OSError), client:
        if answer is None:
            time.sleep(600)
            return
        client.recv(65_536)
        client.sendall(answer)
        while kind == "drip":
            time.sleep(0.5)
            client.sendall(b" ")
