"""The servers of these tests, each started at its first use: MLflow on PostgreSQL and S3, and what it stands on."""

from collections.abc import Iterator

import pytest
import real_servers
from real_servers import ObjectStorage, Orchestration, PostgreSQL, Tracking


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    if real_servers.POSTGRESQL is None:
        pytest.skip("PostgreSQL is not installed in /usr/lib/postgresql: `apt-get install postgresql`")
    server = PostgreSQL()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    server = ObjectStorage(tmp_path_factory.mktemp("storage"), "mlflow", "dvc")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def tracking(
    postgresql: PostgreSQL, storage: ObjectStorage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tracking]:
    """MLflow's server, which may not answer yet: `wait` before it is used."""
    database = f"postgresql+psycopg{postgresql.create('mlflow')}"
    server = Tracking(tmp_path_factory.mktemp("tracking"), database, "s3://mlflow", storage.variables)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def orchestration(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchestration]:
    """Prefect's server, which may not answer yet: `wait` before it is used."""
    database = f"postgresql+asyncpg{postgresql.create('prefect')}"
    server = Orchestration(tmp_path_factory.mktemp("orchestration"), database)
    yield server
    server.stop()
