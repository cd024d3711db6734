"""The flow `score`: labels for new articles, each part a task run. Killed and run again, it does what is missing.

What is done and in which order stands in `gazette.serving.batch`; here is where: parts go to processes of this machine,
or to Dask's workers, which need the folder of results under the same path.
"""

import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from gazette.registry import versions
from gazette.serving.batch import parts, pools, run, summary, timing
from gazette.serving.batch.staging import Options


@flow(name="score", persist_result=False)
def score(
    path: str,
    to: str,
    model: str,
    text: list[str] | None = None,
    identifier: str | None = None,
    uncertain: float = 0.5,
    with_text: bool = False,
    part_rows: int = 65_536,
    workers: int = 2,
    runner: Literal["processes", "dask"] = "processes",
    force: bool = False,
) -> dict[str, Any]:
    """Labels the articles at `path` into the folder `to`, `workers` parts at once; the manifest."""
    options = Options(
        text=tuple(text or ()), id=identifier, part_rows=part_rows, uncertain=uncertain, with_text=with_text
    )
    found, about = versions.find(model), {"model": model, "runner": runner, "workers": workers}
    with timing.measured(Path(to), about), _tasks(runner, workers) as pool:
        manifest = run.score(Path(path), Path(to), found, options, pool, _tell, force)
    page = f"```\n{summary.text(manifest, Path(to))}\n```\n"
    create_markdown_artifact(page, key="scored", description="what came out")
    return manifest


def _tell(done: int, of: int) -> None:
    get_run_logger().info("%s of %s parts", done, of)


class Tasks(Executor):
    """Parts as task runs."""

    def __init__(self, runner: TaskRunner[Any], work: Callable[[str, int], int]) -> None:
        self.runner = runner
        self.part = task(cache_policy=NO_CACHE, persist_result=False, name="part")(work)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Submits `fn`, which is `gazette.serving.batch.parts.score`, as a task run with the name of its part."""
        folder, number = args
        named = self.part.with_options(task_run_name=parts.PART.format(number).removesuffix(".parquet"))
        future: Future[Any] = Future()
        self.runner.submit(named, {"folder": folder, "number": number}).add_done_callback(_settle(future))
        return future


def _settle(future: "Future[Any]") -> Callable[[PrefectFuture[Any]], None]:
    def settle(done: PrefectFuture[Any]) -> None:
        result = done.result(raise_on_failure=False)
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)

    return settle


@contextmanager
def _tasks(runner: str, workers: int) -> Iterator[Tasks]:
    if runner == "dask":
        from prefect_dask import DaskTaskRunner

        logging.getLogger("distributed").setLevel(logging.WARNING)
        here = {"cluster_kwargs": {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}}
        address = os.environ.get("DASK_SCHEDULER")
        with DaskTaskRunner(**({"address": address} if address else here)) as cluster:
            yield Tasks(cluster, parts.score)
        return
    threads: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=workers)
    with pools.pool(runner, workers) as processes, threads:

        def in_a_process(folder: str, number: int) -> int:
            return processes.submit(parts.score, folder, number).result()

        yield Tasks(threads, in_a_process)
