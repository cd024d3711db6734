"""Which Dask cluster to use: the one at DASK_SCHEDULER, or one started for a run."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect_dvc import connection
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.environment import inherited

ANSWER_SECONDS = 10
# What Dask raises of an address that is none, or of a port where something else answers.
_FOREIGN = (OSError, ValueError, TypeError, AssertionError, MemoryError)


def cluster_options(workers: int) -> dict[str, Any]:
    """Return the `address` of the cluster at DASK_SCHEDULER, or the options of a local one with `workers` workers.

    Raises ConfigError if no scheduler answers there, or if it has no workers.
    """
    import dask.config

    logging.getLogger("distributed").setLevel(logging.WARNING)
    dask.config.refresh(paths=[], env=inherited())  # without the files of a home and of /etc
    if address := os.environ.get("DASK_SCHEDULER"):
        check_answers(address)
        return {"address": address}
    return {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}


def check_answers(address: str) -> None:
    """Raise ConfigError if no scheduler answers at an address within `ANSWER_SECONDS`, or if it has no workers.

    In a project, also if a worker does not see its folder: stages read and write there.
    """
    identity = _ask_scheduler(address)
    if identity.get("type") != "Scheduler":
        raise ConfigError(f"{address} is a {identity.get('type')} of Dask; DASK_SCHEDULER names the scheduler")
    if not identity["n_workers"]:
        raise ConfigError(f"the Dask scheduler at {address} has no workers: `dask worker {address}` starts one")
    graph = Path("dvc.yaml").absolute()
    if graph.exists():
        with cluster_errors(*_FOREIGN):
            blind = asyncio.run(_list_blind(list(identity["workers"]), graph))
        if blind:
            raise ConfigError(
                f"Dask's workers at {', '.join(blind)} do not see {graph.parent}, or another folder is there: stages "
                "read and write this project's files, so machines need it under the same path on a shared disk. "
                "Without one, give each machine a worker of Prefect"
            )


def check_reports(address: str, prefect: str) -> None:
    """Raise ConfigError if a worker cannot reach Prefect's server, to which it reports the stage that it runs."""

    def reach(url: str) -> str:
        import httpx  # on the worker

        try:
            httpx.get(url, verify=False, timeout=5)  # whatever it answers; Prefect checks its certificate
        except httpx.TransportError as error:
            return str(error)
        return ""

    workers = list(_ask_scheduler(address)["workers"])
    with cluster_errors(*_FOREIGN):
        answers = asyncio.run(_ask_workers(workers, reach, prefect))
    if cut_off := [worker for worker, answer in answers.items() if answer]:
        raise ConfigError(
            f"Dask's workers at {', '.join(cut_off)} do not reach Prefect's server at {connection.redact(prefect)}: "
            f"{answers[cut_off[0]]}; PREFECT_API_URL has to name it by an address that those machines know"
        )


async def _list_blind(workers: list[str], path: Path) -> list[str]:
    """List the workers to which a file is not the one that is here; a copy elsewhere has another time."""

    def look(place: str) -> tuple[int, int]:
        status = os.stat(place) if os.path.exists(place) else None  # noqa: PTH110, PTH116  # pickled by value
        return (status.st_mtime_ns, status.st_size) if status else (0, 0)

    answers = await _ask_workers(workers, look, str(path))
    return [worker for worker, answer in answers.items() if answer != look(str(path))]


async def _ask_workers(workers: list[str], question: Callable[[str], Any], about: str) -> dict[str, Any]:
    """Return what a function, which travels by value, returns on each worker."""
    from distributed.core import rpc
    from distributed.protocol.pickle import dumps

    answers = {}
    for worker in workers:
        async with rpc(worker, timeout=ANSWER_SECONDS) as server:
            answers[worker] = (await server.run(function=dumps(question), args=dumps((about,)))).get("result")
    return answers


def _ask_scheduler(address: str) -> dict[str, Any]:
    """Return what a scheduler says of itself and its workers; raises ConfigError if none answers in time."""
    with cluster_errors(*_FOREIGN):
        return asyncio.run(asyncio.wait_for(_identity(address), ANSWER_SECONDS))


async def _identity(address: str) -> dict[str, Any]:
    from distributed.core import rpc

    async with rpc(address, timeout=ANSWER_SECONDS / 2) as server:
        return dict(await server.identity())


@contextmanager
def cluster_errors(*more: type[Exception]) -> Iterator[None]:
    """Raise ConfigError with the address, the reason and the cure if the cluster does not answer, or is lost."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError
    from distributed.comm import CommClosedError

    try:
        yield
    except (FutureCancelledError, KilledWorker) as error:
        raise ConfigError(
            f"the Dask cluster at {_address()} lost the work: {connection.first_line(error)}; see the logs of its "
            "workers. Nothing is lost: the same command completes what is missing"
        ) from error
    except (CommClosedError, *more) as error:
        reason = connection.explain(error)
        text = reason.text if reason else connection.first_line(error)
        if isinstance(error, MemoryError | AssertionError):
            text = "what answers there is not Dask"
        raise ConfigError(
            f"the Dask scheduler at {_address()} failed: {text}; start it with `dask scheduler`, correct "
            "DASK_SCHEDULER (tcp://host:8786), or unset it for a cluster of this run alone"
        ) from error


def _address() -> str:
    return os.environ.get("DASK_SCHEDULER") or "this machine"
