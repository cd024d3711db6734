"""Where the stages of a run are started: on this machine, or on those of a Dask cluster."""

from typing import Any

from prefect.settings import PREFECT_API_URL
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from prefect_dvc.core.errors import ConfigError
from prefect_dvc.dask_cluster import check_reports, cluster_options

RUNNERS = ("processes", "dask")


def task_runner(name: str, workers: int) -> TaskRunner[Any]:
    """Return Prefect's task runner of a name: child processes of this one, or a Dask cluster.

    Raises ConfigError if there is none of that name, or Dask is not installed.
    """
    if name not in RUNNERS:
        raise ConfigError(f"runner {name}: expected one of {', '.join(RUNNERS)}")
    return ThreadPoolTaskRunner(max_workers=workers) if name == "processes" else _dask_runner(workers)


def _dask_runner(workers: int) -> TaskRunner[Any]:
    try:
        from prefect_dask import DaskTaskRunner
    except ModuleNotFoundError as error:
        raise ConfigError(f"runner dask: {error.name} is not installed: pip install 'prefect-dvc[dask]'") from None
    options = cluster_options(workers)
    if "address" in options and (server := PREFECT_API_URL.value()):
        check_reports(options["address"], server)
    runner: TaskRunner[Any] = DaskTaskRunner(**(options if "address" in options else {"cluster_kwargs": options}))
    return runner
