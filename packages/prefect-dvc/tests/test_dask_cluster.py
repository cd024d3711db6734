"""A Dask cluster that is not there, or is something else: exit code 2 with its address and the cure."""

import os
from pathlib import Path

import pytest
from broken_servers import broken_server
from flow_runs import until

from prefect_dvc import dask_cluster
from prefect_dvc.core.errors import ConfigError


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "ANSWER_SECONDS", 2)


@pytest.mark.parametrize("kind", ["closed", "silent", "reset", "garbage", "404"])
def test_what_is_no_scheduler_is_named_with_the_cure(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken_server(kind) as address:
        monkeypatch.setenv("DASK_SCHEDULER", f"tcp://{address}")
        with pytest.raises(ConfigError, match=f"tcp://{address} failed: .*correct DASK_SCHEDULER"):
            dask_cluster.cluster_options(2)


@pytest.mark.parametrize("address", ["news", "tcp://", "http://host:1", "tls://127.0.0.1:1"])
def test_an_address_that_cannot_be_one_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASK_SCHEDULER", address)
    with pytest.raises(ConfigError, match="correct DASK_SCHEDULER"):
        dask_cluster.cluster_options(2)


@pytest.mark.slow
def test_a_scheduler_without_workers_is_told_and_one_with_workers_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import LocalCluster

    monkeypatch.setattr(dask_cluster, "ANSWER_SECONDS", 20)
    with LocalCluster(n_workers=0, processes=False, dashboard_address=None, protocol="tcp") as cluster:
        monkeypatch.setenv("DASK_SCHEDULER", cluster.scheduler_address)
        with pytest.raises(ConfigError, match="has no workers: `dask worker tcp://"):
            dask_cluster.cluster_options(2)
        cluster.scale(1)
        until(lambda: bool(cluster.scheduler.workers))
        assert dask_cluster.cluster_options(2) == {"address": cluster.scheduler_address}


@pytest.mark.slow
def test_a_worker_that_does_not_see_the_project_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A worker with another root stands for another host."""
    from distributed import LocalCluster

    monkeypatch.setattr(dask_cluster, "ANSWER_SECONDS", 20)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    with LocalCluster(n_workers=1, processes=True, dashboard_address=None, protocol="tcp") as cluster:
        monkeypatch.setenv("DASK_SCHEDULER", cluster.scheduler_address)
        assert dask_cluster.cluster_options(2) == {"address": cluster.scheduler_address}
        stat = os.stat
        monkeypatch.setattr(os, "stat", lambda *words, **more: _later(stat(*words, **more)))
        with pytest.raises(ConfigError, match=f"workers at tcp://.* do not see {tmp_path}, or another folder"):
            dask_cluster.cluster_options(2)


def _later(status: os.stat_result) -> os.stat_result:
    """Return what this host sees of a file that another host has not."""
    return os.stat_result(tuple(status), {"st_mtime_ns": status.st_mtime_ns + 1})
