"""A first question to the registry, with a short wait: MLflow alone would ask an address that is wrong for minutes."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path

import mlflow
from prefect_dvc import connection
from prefect_dvc.core.errors import ConfigError

from gazette.registry.store.retry import registry_errors, shown_address

SECONDS = 10
DATABASES = ("mssql", "mysql", "postgresql")
SERVERS = ("http", "https", "databricks", "databricks-uc", "file", "uc")


@cache
def check_answers(uri: str) -> None:
    """Raise ConfigError if the registry at an address does not answer within `SECONDS`; asks once in a process."""
    scheme = uri.partition(":")[0].partition("+")[0].lower()
    if scheme == "sqlite":
        ask = partial(_ask_file, Path(uri.partition(":///")[2].partition("?")[0]))
    elif scheme in DATABASES:
        ask = partial(_ask_database, uri)
    elif scheme in SERVERS or "://" not in uri:
        ask = partial(_ask_server, uri)
    else:
        raise ConfigError(
            f"MLFLOW_TRACKING_URI names {shown_address()}; expected http://host:port, sqlite:///path/to/mlflow.db or "
            "another address of MLflow's"
        )
    with registry_errors(), _setting_errors():
        connection.within(SECONDS, ask)


@contextmanager
def _setting_errors() -> Iterator[None]:
    """Raise ConfigError if the address, or a variable of MLflow's, cannot be read."""
    try:
        yield
    except ValueError as error:
        if isinstance(error, OSError):  # of requests, about an answer
            raise
        if "MLFLOW_" in str(error):
            raise ConfigError(f"environment: {connection.first_line(error)}; correct it, or unset it") from error
        raise ConfigError(  # without the error's text, which may have a part of the password
            f"MLFLOW_TRACKING_URI={shown_address()} cannot be read; expected http://host:port, or "
            "postgresql+psycopg://user:password@host:port/database"
        ) from error


def _ask_server(uri: str) -> None:
    mlflow.MlflowClient(uri).search_registered_models(max_results=1)


def _ask_database(uri: str) -> None:
    import sqlalchemy  # in the extra `pipeline`

    with sqlalchemy.create_engine(uri).connect():
        pass


def _ask_file(path: Path) -> None:
    if not path.exists():
        folder = next(folder for folder in path.absolute().parents if folder.exists())
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"{path} does not exist, and this user may not write to {folder}")
    else:
        with closing(sqlite3.connect(path, timeout=SECONDS / 2)) as database:
            database.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall()
