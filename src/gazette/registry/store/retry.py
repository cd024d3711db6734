"""What a registry is asked is asked again for a while where it does not answer, then given up with a clear word.

MLflow sends each HTTP request several times itself; SQLite waits 20 s for a lock. What is asked may be done twice.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from mlflow.exceptions import MlflowException
from requests import RequestException
from sqlalchemy.exc import OperationalError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from gazette.core.errors import Misconfigured
from gazette.registry.store import address

Answer = TypeVar("Answer")

PATIENCE = 60  # seconds after which a call that fails is not tried again; a database may be locked for 20
PAUSE = 1  # seconds between two tries
# MLflow's own, for each HTTP request: by default eight tries in four minutes, each waiting two for an answer.
REQUESTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
# A failed transaction is BAD_REQUEST: two that write the same row at once.
_PASSING = {"INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "BAD_REQUEST"}


@contextmanager
def answering() -> Iterator[None]:
    """Raises Misconfigured where the registry does not answer, or refuses."""
    try:
        yield
    except (MlflowException, OperationalError, RequestException) as error:
        said = str(error).strip().split("\n")[0]
        raise Misconfigured(
            f"the registry at {address.address()} did not do what it was asked: {said}. Nothing is lost: when it "
            "answers again, the same command finishes what was begun"
        ) from error


def steadily(call: Callable[..., Answer], *given: Any, besides: str = "", **named: Any) -> Answer | None:
    """What a call of the registry gives; one that fails in passing is tried again, until PATIENCE is spent.

    None where the registry refuses with the error code `besides`. Raises Misconfigured where it fails otherwise.
    """
    again = Retrying(
        retry=retry_if_exception(_passes), stop=stop_after_delay(PATIENCE), wait=wait_fixed(PAUSE), reraise=True
    )
    with answering():
        try:
            return again(call, *given, **named)
        except MlflowException as error:
            if besides and error.error_code == besides:
                return None
            raise


def _passes(error: BaseException) -> bool:
    if isinstance(error, MlflowException):
        return error.error_code in _PASSING
    return isinstance(error, OperationalError | RequestException)
