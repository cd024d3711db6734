"""Why a server does not answer, in a few words, whichever library asked it; and a bound on how long to wait for it."""

import contextvars
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TypeVar

from prefect_dvc.core.escape import escape

Result = TypeVar("Result")

# Up to the last @ before the next address: a password may have any character. A token may stand alone.
_LOGIN = re.compile(r"([a-z][a-z0-9+.-]*://)([^\s/?#:@]*:)?(?:(?!\s\S*://).)*@", re.IGNORECASE)
_SECRET = re.compile(r"([?&][\w-]*(?:password|passwd|pwd|token|secret|key|sig|signature)=)[^&\s]+", re.IGNORECASE)
_STATUS = re.compile(r"\b(?:error code|status code|too many|HTTP error|HTTP Error|status:|error '|got) ?'?([45]\d\d)\b")
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_NOT_DATA = re.compile(r"valid JSON|JSONDecodeError|Expecting value")
_CLOSED = re.compile(r"without (?:sending )?(?:a |any )?response|Connection aborted|Server disconnected|disconnected$")


@dataclass(frozen=True)
class Reason:
    """Why there is no answer; `passing` if the same question may be answered later, with nothing corrected."""

    text: str
    passing: bool


_CLOSES = Reason("it closes the connection without an answer", passing=True)


def explain(error: BaseException) -> Reason | None:
    """Return the reason at the root of an error that a library raised because a server did not answer as it should.

    None if it is none of those that are known: not a server's name, port, certificate, credentials or answer.
    """
    causes = list(list_causes(error))
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return Reason("the name of its host is unknown", passing=False)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Reason(f"its certificate is not trusted: {cause.verify_message}", passing=False)
        if isinstance(cause, ssl.SSLError):
            return Reason(f"TLS fails: {getattr(cause, 'reason', None) or cause}", passing=False)
        if isinstance(cause, ConnectionRefusedError):
            return Reason("connection refused, nothing listens there", passing=True)
        if isinstance(cause, TimeoutError) or type(cause).__name__.endswith(("Timeout", "TimeoutError")):
            return Reason("no answer in time", passing=True)
        if isinstance(cause, ConnectionError):
            return _CLOSES
    text = " ".join(str(cause) for cause in causes)
    if status := next(filter(None, map(_status, causes)), 0):
        return _explain_status(status)
    if _NOT_DATA.search(text) or any(type(cause).__name__ == "JSONDecodeError" for cause in causes):
        return Reason("it answers, but with a page and not as such a server does", passing=False)
    return _CLOSES if _CLOSED.search(text) else None


def first_line(error: BaseException) -> str:
    """Return the first line of a message, escaped and without its full stop; the error's name if it has none."""
    return escape(redact(str(error)).strip().split("\n")[0].rstrip(".")) or type(error).__name__


def within(seconds: float, call: Callable[[], Result]) -> Result:
    """Return what `call` returns; raises TimeoutError if it takes longer, and leaves it to end by itself.

    A library bounds a single wait, not their sum, and nobody bounds the look-up of a name.
    """
    future: Future[Result] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001  # raised again, in the thread that waits
            future.set_exception(error)

    threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True).start()
    if not wait([future], seconds).done:
        raise TimeoutError(f"no answer within {seconds:g} seconds")
    return future.result()


def redact(text: str) -> str:
    """Return an address, or a message with some, without passwords and tokens in them."""
    return _SECRET.sub(r"\1***", _LOGIN.sub(r"\1\2***@", text))


def list_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what it was raised from, and what it wraps, each once."""
    queue: list[object] = [error]
    visited: set[int] = set()
    while queue:
        cause = queue.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in visited:
            continue
        visited.add(id(cause))
        yield cause
        queue += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
        queue += getattr(cause, "exceptions", ())


def _status(cause: BaseException) -> int:
    """Return the HTTP status that an error is about; 0 if it is about none."""
    for number in (getattr(getattr(cause, "response", None), "status_code", None), getattr(cause, "status", None)):
        if isinstance(number, int) and number >= 400:
            return number
    match = _STATUS.search(str(cause))
    return int(match[1]) if match else 0


def _explain_status(status: int) -> Reason:
    if status in (401, 403, 407):
        return Reason(f"it refuses the credentials, or there are none (HTTP {status})", passing=False)
    if status in _BUSY:
        return Reason(f"it answers HTTP {status}", passing=True)
    return Reason(f"it answers HTTP {status}, and not as such a server does", passing=False)
