"""Prefect's task runner for a Dask cluster."""

from typing import Any

from prefect.task_runners import TaskRunner

from gazette.pipeline.dask_cluster import cluster_options


def dask_runner(workers: int) -> TaskRunner[Any]:
    """Return a runner of tasks on the cluster of `cluster_options`."""
    from prefect_dask import DaskTaskRunner

    options = cluster_options(workers)
    runner: TaskRunner[Any] = DaskTaskRunner(**(options if "address" in options else {"cluster_kwargs": options}))
    return runner
