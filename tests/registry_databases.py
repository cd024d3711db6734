"""An empty database of MLflow: its migrations take a second, so they run once, and each test gets a copy."""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory


def prepare(path: Path) -> str:
    """Write a registry's database without an experiment, which MLflow then creates, and return its address."""
    path.write_bytes(_migrate())
    return f"sqlite:///{path}"


@cache
def _migrate() -> bytes:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with TemporaryDirectory() as folder:
        path = Path(folder, "mlflow.db")
        SqlAlchemyStore(f"sqlite:///{path}", folder)
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("DELETE FROM experiments")
        return path.read_bytes()
