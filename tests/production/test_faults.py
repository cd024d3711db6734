"""What goes wrong with real servers ends with 2 and its cure, and the same call finishes what it left."""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from bundles import make_bundle
from hosts import can_part
from links import Link
from prefect_dvc import hashing, remote
from prefect_dvc.core.errors import ConfigError
from projects import copy_stage, make_project
from real_servers import ObjectStorage, PostgreSQL, Tracking
from served_registry import NAME, World, make_key, rights

from gazette.registry import versions
from gazette.registry.store import client as registry
from gazette.registry.store import retry

pytestmark = [pytest.mark.servers, pytest.mark.slow]

READ = ["s3:GetObject", "s3:ListBucket"]


@pytest.fixture(scope="module")
def world(storage: ObjectStorage, tracking: Tracking, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    box, link = tmp_path_factory.mktemp("faults"), Link(storage.port)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(box)
        for name, value in {**storage.variables, **make_key(storage), "AWS_ENDPOINT_URL": link.address}.items():
            patch.setenv(name, value)
        patch.setenv("MLFLOW_TRACKING_URI", tracking.address)
        for name, value in (("MAX_RETRIES", "1"), ("BACKOFF_FACTOR", "0"), ("TIMEOUT", "20")):
            patch.setenv(f"MLFLOW_HTTP_REQUEST_{name}", value)
        tracking.wait("/health")
        client = registry.connect()
        client.create_experiment(NAME, artifact_location="s3://mlflow/direct")
        yield World(client, link, make_bundle(box))
        link.close()


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        (
            "ExpiredToken",
            r"PutObject is refused \(ExpiredToken\); the credentials have expired: renew AWS_SESSION_TOKEN",
        ),
        ("RequestTimeTooSkewed", "the clock of this machine is wrong: set it"),
        ("XMinioStorageFull", "its disk is full: make room there"),
    ],
)
def test_what_s3_refuses_is_told_with_its_cure_and_registers_nothing(world: World, code: str, cure: str) -> None:
    world.link.refusal = code
    digest = world.refused(cure)
    world.link.refusal = ""
    assert world.count(digest) == 0
    world.register()
    assert world.count(digest) == 1


def test_a_bucket_without_rights_names_those_that_are_needed(world: World, storage: ObjectStorage) -> None:
    with rights(storage, *READ):
        digest = world.refused(r"PutObject is refused \(AccessDenied\).* grant s3:ListBucket .* s3:PutObject")
    assert world.count(digest) == 0
    with rights(storage, *READ, "s3:PutObject", "s3:DeleteObject"):
        world.register()
    assert world.count(digest) == 1


def test_what_s3_refuses_mlflow_s_server_is_told_as_a_failure_of_that(world: World, storage: ObjectStorage) -> None:
    run: dict[str, Any] = {"experiment": "proxied", "name": "linear", "metrics": {}, "files": [], "candidates": []}
    with rights(storage), pytest.raises(ConfigError, match=r"it answers HTTP 500|it closes the connection") as ended:
        registry.log_run(registry.Run(tags={"digest": world.change()}, examples=["goal"], **run), world.bundle)
    print(ended.value)


def test_a_database_that_restarts_in_the_middle_costs_seconds(world: World, postgresql: PostgreSQL) -> None:
    digest = world.change()

    def restart() -> None:
        postgresql.stop()
        threading.Timer(2, postgresql.start).start()

    world.register(between=restart)
    assert world.count(digest) == 1


def test_a_database_that_stays_away_is_told_and_the_same_call_finishes(
    world: World, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "RETRY_SECONDS", 1)
    digest = world.refused("Nothing is lost: when it answers again", lambda: world.register(between=postgresql.stop))
    postgresql.start()
    postgresql.wait_for(postgresql.is_ready)
    assert world.count(digest) == 0
    world.register()
    assert world.count(digest) == 1


def test_a_server_that_stops_in_the_middle_is_told_and_the_same_call_finishes(
    world: World, tracking: Tracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "RETRY_SECONDS", 1)
    digest = world.refused("nothing listens there.* Start it", lambda: world.register(between=tracking.stop))
    tracking.start()
    tracking.wait("/health")
    world.register()
    assert world.count(digest) == 1


def test_a_slow_link_costs_time_alone(world: World, tmp_path: Path) -> None:
    digest = world.change()
    world.link.delay = 0.2
    began = time.monotonic()
    number = world.register()
    versions.download(f"{NAME}/{number}", digest, tmp_path / "bundle")
    print(f"registered and downloaded in {time.monotonic() - began:.1f} s with 200 ms each way")
    world.link.delay = 0
    assert world.count(digest) == 1 and hashing.dvc_hash(tmp_path / "bundle") == digest


@pytest.mark.skipif(not can_part(), reason="only root can mount a small disk")
def test_a_full_disk_leaves_no_half_bundle(world: World, tmp_path: Path) -> None:
    digest = world.change()
    number = world.register()
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(small)], check=True)
    try:
        with pytest.raises(ConfigError, match="No space left on device; make room") as ended:
            versions.download(f"{NAME}/{number}", digest, small / "bundle")
        print(ended.value)
        assert list(small.iterdir()) == []
        subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
        versions.download(f"{NAME}/{number}", digest, small / "bundle")
        assert hashing.dvc_hash(small / "bundle") == digest
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.skipif(not can_part(), reason="only root can mount a small disk")
def test_a_database_whose_disk_is_full_is_told_and_the_same_call_finishes(
    storage: ObjectStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Path(tempfile.mkdtemp(prefix="postgresql", dir="/tmp"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m", "tmpfs", str(disk)], check=True)
    database = PostgreSQL(disk)
    server = Tracking(tmp_path, f"postgresql+psycopg{database.create('mlflow')}", "s3://mlflow", storage.variables)
    try:
        server.wait("/health")
        for name, value in {**storage.variables, "MLFLOW_TRACKING_URI": server.address}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(retry, "RETRY_SECONDS", 1)
        small = World(registry.connect(), Link(storage.port), make_bundle(tmp_path))
        small.client.create_experiment(NAME, artifact_location="s3://mlflow/small")
        filler = disk / "filler"
        digest = small.refused(
            r"HTTP 503\. Its log says why\. Nothing is lost", lambda: small.register(between=lambda: fill(filler))
        )
        filler.unlink()
        if database.process.poll() is not None:  # it ends if its own log cannot be written
            database.start()
        database.wait_for(database.is_ready)
        assert small.count(digest) == 0
        small.register()
        assert small.count(digest) == 1
    finally:
        server.stop()
        database.stop()
        subprocess.run(["umount", str(disk)], check=True)
        disk.rmdir()


def fill(path: Path) -> None:
    """Write a file until the disk is full."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


def test_a_database_without_a_server_before_it_is_a_registry_too(
    world: World, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = registry.get_model(world.client, NAME)
    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"postgresql+psycopg://gazette@127.0.0.1:{postgresql.port}/mlflow")
        assert registry.get_model(registry.connect(), NAME) == before
        patch.setenv("MLFLOW_TRACKING_URI", f"postgresql://gazette@127.0.0.1:{postgresql.port}/mlflow")
        with pytest.raises(ConfigError, match=r"write postgresql\+psycopg://"):
            registry.connect()
    registry.connect()


def test_three_registrations_at_once_make_one_version(world: World) -> None:
    digest = world.change()
    gate = threading.Barrier(3)
    numbers: list[str] = []
    tags, bundle = {"digest": digest}, world.bundle
    run: dict[str, Any] = {"experiment": NAME, "name": "linear", "metrics": {}, "files": [], "candidates": []}
    model = registry.log_run(registry.Run(tags=tags, examples=["goal"], **run), bundle)

    def register() -> None:
        gate.wait()
        numbers.append(registry.create_version(world.client, NAME, model, tags, "about"))

    threads = [threading.Thread(target=register) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 3 and len(set(numbers)) == 1 and world.count(digest) == 1


@pytest.mark.parametrize(
    ("code", "url", "cure"),
    [
        ("", "s3://dvc/x", ""),
        ("ExpiredToken", "s3://dvc/x", "the credentials have expired: renew"),
        ("RequestTimeTooSkewed", "s3://dvc/x", "the clock of this machine is wrong"),
        ("", "s3://nowhere/x", "there is no such bucket: create it"),
    ],
)
def test_a_remote_on_s3_that_refuses_is_told_before_a_run_begins(
    world: World, tmp_path: Path, code: str, url: str, cure: str
) -> None:
    root = make_project(tmp_path, {"a": copy_stage("a", "raw")}, raw="1\n")
    subprocess.run(f"dvc remote add -q -d store {url}", shell=True, cwd=root, check=True)
    world.link.refusal = code
    problem = remote.describe_problem(root)
    world.link.refusal = ""
    assert cure in problem and (f"DVC's remote store at {url} failed" in problem) == bool(cure)
