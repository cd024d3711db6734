"""Retries registry calls that fail transiently, then raises a clear error.

MLflow itself retries each HTTP request; SQLite waits 20 s for a lock. Calls must be idempotent.
"""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from mlflow.exceptions import MlflowException
from prefect_dvc import connection, object_storage
from prefect_dvc.core.errors import ConfigError
from requests import RequestException
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from gazette.registry.store import address, database_faults

Result = TypeVar("Result")

RETRY_SECONDS = 20  # as long as MLflow waits for a locked database
PAUSE = 1  # seconds between two tries
# MLflow's own retries of each HTTP request; its defaults are eight tries in four minutes, with a timeout of two.
REQUESTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
ERRORS = (MlflowException, sqlite3.Error, RequestException, OSError)
# BAD_REQUEST: a transaction that failed because another one wrote the same row.
_TRANSIENT = {"INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "BAD_REQUEST"}

AGAIN = "Nothing is lost: when it answers again, the same command finishes the job"


@contextmanager
def registry_errors() -> Iterator[None]:
    """Raise ConfigError with the address, the reason and the cure if the registry does not answer or fails."""
    try:
        yield
    except (*ERRORS, *_library_errors()) as error:
        raise ConfigError(explain(error)) from error
    except ImportError as error:
        driver = (
            "write postgresql+psycopg:// for the driver of the extra `servers`, " if "psycopg" in str(error) else ""
        )
        raise ConfigError(
            f"the registry at {shown_address()} needs a package that is not installed: {error}; {driver}`pip install` "
            "it, or correct MLFLOW_TRACKING_URI"
        ) from error


def _library_errors() -> tuple[type[BaseException], ...]:
    """Return errors of SQLAlchemy and of S3's client if MLflow has imported them; not every registry needs them."""
    places = [
        ("sqlalchemy.exc", "SQLAlchemyError"),
        ("botocore.exceptions", "ClientError"),
        ("botocore.exceptions", "BotoCoreError"),
        ("boto3.exceptions", "Boto3Error"),
    ]
    return tuple(getattr(sys.modules[module], name) for module, name in places if module in sys.modules)


def explain(error: BaseException) -> str:
    """Return what is wrong with the registry, and what to do."""
    where = f"the registry at {shown_address()}"
    if fault := database_faults.explain(error):
        return f"{where} failed: {fault}"
    if fault := object_storage.explain(error):
        return f"{where} failed: {fault}. {AGAIN}"
    reason = connection.explain(error)
    if _is_passing(error):
        why = reason.text if reason else connection.first_line(error)
        cure = "Its log says why" if "HTTP" in why else "Start it, or correct MLFLOW_TRACKING_URI"
        return f"{where} failed: {why}. {cure}. {AGAIN}"
    if reason is None:
        return f"{where} failed: {connection.first_line(error)}"
    if "credentials" in reason.text:
        return f"{where} failed: {reason.text}; set MLFLOW_TRACKING_USERNAME and _PASSWORD, or MLFLOW_TRACKING_TOKEN"
    return f"{where} failed: {reason.text}; correct MLFLOW_TRACKING_URI, or start `mlflow server` there"


def shown_address() -> str:
    """Return the address of the registry without a password."""
    return connection.redact(address.tracking_uri())


def call_with_retries(call: Callable[..., Result], *args: Any, ignore: str = "", **kwargs: Any) -> Result | None:
    """Call the registry, retrying transient failures for RETRY_SECONDS.

    Returns None if the registry answers with the error code `ignore`. Raises ConfigError for any other failure.
    """
    retrying = Retrying(
        retry=retry_if_exception(_is_passing),
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


def _is_passing(error: BaseException) -> bool:
    """Whether the same call may succeed in a moment."""
    if database_faults.explain(error):
        return database_faults.LOCKED in str(error)
    if reason := connection.explain(error):
        return reason.passing
    return isinstance(error, MlflowException) and error.error_code in _TRANSIENT
