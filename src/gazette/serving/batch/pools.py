"""Who scores parts: processes of this machine, or the workers of a Dask cluster."""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any

ALONE = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}  # a worker has one core; parts are what runs side by side


@contextmanager
def pool(runner: str, workers: int) -> Iterator[Executor]:
    """Where parts are scored, `workers` at a time; Dask is the cluster at DASK_SCHEDULER, or one made here for it."""
    with _dask(workers) if runner == "dask" else _processes(workers) as found:
        yield found


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    found = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        yield found
    finally:
        found.shutdown(cancel_futures=True)


def _begin() -> None:
    os.environ.update(ALONE)  # before polars is imported, which reads it once
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and tells
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _dask(workers: int) -> Iterator[Executor]:
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.WARNING)
    here: dict[str, Any] = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    address = os.environ.get("DASK_SCHEDULER")
    with Client(address) if address else Client(**here) as client:
        yield client.get_executor(pure=False)
