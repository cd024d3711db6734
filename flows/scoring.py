"""The flow `score`: labels for new articles, each part a task run. A killed run is completed by the next.

`gazette.serving.batch` decides what is done and in which order; this module decides where: in processes of this
machine, or on Dask's workers, which need the folder of results under the same path.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect_dvc.core.errors import CommandError
from prefect_dvc.flows.failures import failed

from gazette.cli import journal as journals
from gazette.cli import score_view
from gazette.registry import versions
from gazette.serving.batch import parts, pools, run, timing
from gazette.serving.batch.staging import Options

WAITING = 256  # parts that wait for Dask's workers at once, each in a thread that does nothing else


@flow(name="score", persist_result=False)
def score(
    path: str,
    to: str,
    model: str,
    text: list[str] | None = None,
    identifier: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    uncertain: float = 0.5,
    with_text: bool = False,
    part_rows: int = 65_536,
    workers: int = 2,
    runner: Literal["processes", "dask"] = "processes",
    force: bool = False,
    journal: str = journals.FOLDER,
    no_journal: bool = False,
) -> dict[str, Any] | State:
    """Label the articles at `path` into the folder `to`, `workers` parts at once, and return the manifest."""
    options = Options(
        text=tuple(text or ()), id=identifier, encoding=encoding, delimiter=delimiter, header=header,
        part_rows=part_rows, uncertain=uncertain, with_text=with_text,
    )  # fmt: skip
    try:
        version, record = versions.find_model(model), {"model": model, "runner": runner, "workers": workers}
        with timing.record_timing(Path(to), record), _task_pool(runner, workers) as pool:
            recorded = journals.of_scoring(journal, no_journal)
            manifest = run.score_files(Path(path), Path(to), version, options, pool, _log_progress, force, recorded)
        journals.end_scoring(recorded)
    except CommandError as error:
        return failed(error)
    page = f"```\n{score_view.summarize_manifest(manifest, Path(to))}\n```\n"
    create_markdown_artifact(page, key="scored", description="rows and labels of a scoring")
    return manifest


def _log_progress(done: int, total: int) -> None:
    get_run_logger().info("%s of %s parts", done, total)


class TaskPool(Executor):
    """Runs parts as task runs."""

    def __init__(self, runner: TaskRunner[Any], work: Callable[[str, int], str]) -> None:
        self.runner = runner
        self.part = task(cache_policy=NO_CACHE, persist_result=False, name="part")(work)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Submit `fn`, which is `gazette.serving.batch.parts.score_part`, as a task run with the name of its part."""
        folder, number = args
        part = self.part.with_options(task_run_name=parts.PART.format(number).removesuffix(".parquet"))
        future: Future[Any] = Future()
        self.runner.submit(part, {"folder": folder, "number": number}).add_done_callback(_settle(future))
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
def _task_pool(runner: str, workers: int) -> Iterator[TaskPool]:
    """Run tasks in threads of this process that call workers; Dask decides again where a lost worker's part runs.

    prefect-dask would run the tasks on Dask: it leaves those of a lost worker running (PrefectHQ/prefect#21638) and
    repeats finished ones (#15442).
    """
    threads: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=workers if runner == "processes" else WAITING)
    with pools.worker_pool(runner, workers) as pool, threads:

        def score_on_a_worker(folder: str, number: int) -> str:
            return pool.submit(parts.score_part, folder, number).result()

        yield TaskPool(threads, score_on_a_worker)
