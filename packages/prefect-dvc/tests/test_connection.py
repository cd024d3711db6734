"""Why a server does not answer, read from the errors of whichever library asked it."""

import re
import socket
import ssl
import time

import pytest
from broken_servers import broken_server
from hypothesis import given
from hypothesis import strategies as st

from prefect_dvc import connection


def chained(root: BaseException) -> BaseException:
    """Return an error of a library that wraps the system's own."""
    error = RuntimeError("request failed")
    error.__cause__ = root
    return error


@pytest.mark.parametrize(
    ("error", "text", "passing"),
    [
        (ConnectionRefusedError(111, "refused"), "connection refused", True),
        (TimeoutError("timed out"), "no answer in time", True),
        (ConnectionResetError(104, "reset"), "closes the connection", True),
        (socket.gaierror(-2, "unknown"), "the name of its host is unknown", False),
        (ssl.SSLError(1, "wrong version"), "TLS fails", False),
        (RuntimeError("failed with error code 401 != 200"), r"credentials.*HTTP 401", False),
        (RuntimeError("too many 503 error responses"), "HTTP 503", True),
        (RuntimeError("Client error '404 Not Found' for url"), "HTTP 404", False),
        (ValueError("not in a valid JSON format. Response body: '<html>'"), "with a page", False),
    ],
)  # fmt: skip
def test_the_reason_is_the_one_at_the_root(error: BaseException, text: str, passing: bool) -> None:
    for wrapped in (error, chained(error)):
        reason = connection.explain(wrapped)
        assert reason and re.search(text, reason.text) and reason.passing == passing


def test_a_reason_that_is_none_of_the_network_s_is_not_made_up() -> None:
    assert connection.explain(KeyError("accuracy")) is None


def test_a_group_of_failed_tries_is_explained_by_one_of_them() -> None:
    reason = connection.explain(OSError("All connection attempts failed", ConnectionRefusedError()))
    assert reason and "refused" in reason.text


@pytest.mark.parametrize("kind", ["silent", "drip"])
def test_a_wait_ends_however_slowly_bytes_come(kind: str) -> None:
    def ask() -> bytes:
        host, _, port = address.rpartition(":")
        received = b""
        with socket.create_connection((host, int(port)), timeout=60) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            while part := client.recv(1024):
                received += part
        return received

    with broken_server(kind) as address:
        began = time.monotonic()
        with pytest.raises(TimeoutError, match=r"within 0\.5 seconds"):
            connection.within(0.5, ask)
    assert time.monotonic() - began < 5


def test_what_comes_in_time_is_passed_on_and_so_is_an_error() -> None:
    assert connection.within(5, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        connection.within(5, lambda: 1 // 0)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://ann:s3cret@host:5000/a", "http://ann:***@host:5000/a"),
        ("postgresql://ann:p%40ss@host/db", "postgresql://ann:***@host/db"),
        ("http://host:5000", "http://host:5000"),
        ("https://t0/ken@host/a", "https://***@host/a"),
        (
            "s3://bucket?endpoint=http://h&secret_key=s3cret&region=x",
            "s3://bucket?endpoint=http://h&secret_key=***&region=x",
        ),
        ("no answer of http://a:p@ss@h/x and https://t@h", "no answer of http://a:***@h/x and https://***@h"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
    ],
)
def test_a_password_in_an_address_is_not_shown(url: str, shown: str) -> None:
    assert connection.redact(url) == shown and shown in connection.first_line(OSError(url))


@given(st.text().map(lambda text: "".join(filter(str.isprintable, text))).map("s3{}t".format))
def test_a_password_of_any_printable_characters_is_not_shown(password: str) -> None:
    shown = connection.redact(f"no answer of 'postgresql://ann:{password}@host/db' and of http://host:5000")
    assert password not in shown and shown.endswith("***@host/db' and of http://host:5000")
