"""A worker in this process, and a registry with two versions, for servers that follow it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import registry_databases
from bundles import make_bundle
from prefect_dvc import hashing
from workers import make_worker

from gazette.serving.online import metrics
from gazette.serving.online.worker import Worker


@pytest.fixture(scope="module", autouse=True)
def _metrics(tmp_path_factory: pytest.TempPathFactory) -> None:
    metrics.use_folder(tmp_path_factory.mktemp("metrics") / "metrics")


@pytest.fixture
def worker(tmp_path: Path, bundle: Path) -> Worker:
    return make_worker(tmp_path, bundle)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two bundles that give the same texts the same labels and have different digests."""
    first = make_bundle(tmp_path_factory.mktemp("first"))
    second = tmp_path_factory.mktemp("second") / "bundle"
    shutil.copytree(first, second)
    about = json.loads((second / "bundle.json").read_text())
    (second / "bundle.json").write_text(json.dumps(about | {"length": 9}))
    return [first, second]


@pytest.fixture(scope="module")
def registry(bundles: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Any]]:
    """A folder with a registry of both bundles, the first one champion, and its client."""
    folder = tmp_path_factory.mktemp("registry")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", registry_databases.prepare(folder / "mlflow.db"))
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        from gazette.registry.store import client as store

        client = store.connect()
        for bundle in bundles:
            digest = hashing.dvc_hash(bundle)
            candidate = store.Candidate("linear", {}, [], {})
            run = store.Run("tiny", "linear", [candidate], {}, {"digest": digest}, [], ["goal and bank"])
            store.create_version(client, "tiny", store.log_run(run, bundle), {"digest": digest}, "about")
        store.set_alias(client, "tiny", "champion", "1")
        yield folder, client
