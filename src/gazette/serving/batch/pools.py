"""Where parts are scored: in processes of this machine, or on the workers of a Dask cluster."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait

from prefect_dvc.dask_cluster import cluster_errors, cluster_options

SERIAL = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}  # parts run side by side, each worker on one core


@contextmanager
def worker_pool(runner: str, workers: int) -> Iterator[Executor]:
    """Start `workers` processes, or with the runner `dask` connect to a cluster (see `cluster_options`)."""
    with _dask(workers) if runner == "dask" else _processes(workers) as pool:
        yield pool


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_init_worker)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _init_worker() -> None:
    os.environ.update(SERIAL)  # before polars is imported, which reads it once
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets the signal, and ends its workers
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _dask(workers: int) -> Iterator[Executor]:
    from distributed import Client

    options = cluster_options(workers)
    with cluster_errors(), Client(**options) as client:
        yield client.get_executor(pure=False)
