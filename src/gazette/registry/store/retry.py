"""Retries registry calls that fail transiently, then raises a clear error.

MLflow itself retries each HTTP request; SQLite waits 20 s for a lock. Calls must be idempotent.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from mlflow.exceptions import MlflowException
from requests import RequestException
from sqlalchemy.exc import OperationalError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from gazette.core.errors import ConfigError
from gazette.registry.store import address

Result = TypeVar("Result")

RETRY_SECONDS = 60  # a database may be locked for 20
PAUSE = 1  # seconds between two tries
# MLflow's own retries of each HTTP request; its defaults are eight tries in four minutes, with a timeout of two.
REQUESTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
# BAD_REQUEST: a transaction that failed because another one wrote the same row.
_TRANSIENT = {"INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "BAD_REQUEST"}


@contextmanager
def registry_errors() -> Iterator[None]:
    """Raise ConfigError if the registry does not answer or returns an error."""
    try:
        yield
    except (MlflowException, OperationalError, RequestException) as error:
        message = str(error).strip().split("\n")[0]
        raise ConfigError(
            f"the registry at {address.tracking_uri()} failed: {message}. Nothing is lost: when it answers again, the "
            "same command finishes the job"
        ) from error


def call_with_retries(call: Callable[..., Result], *args: Any, ignore: str = "", **kwargs: Any) -> Result | None:
    """Call the registry, retrying transient failures for RETRY_SECONDS.

    Returns None if the registry answers with the error code `ignore`. Raises ConfigError for any other failure.
    """
    retrying = Retrying(
        retry=retry_if_exception(_is_transient),
        stop=stop_after_delay(RETRY_SECONDS),
        wait=wait_fixed(PAUSE),
        reraise=True,
    )
    with registry_errors():
        try:
            return retrying(call, *args, **kwargs)
        except MlflowException as error:
            if ignore and error.error_code == ignore:
                return None
            raise


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, MlflowException):
        return error.error_code in _TRANSIENT
    return isinstance(error, OperationalError | RequestException)
