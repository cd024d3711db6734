"""The bridge: a DVC graph as one Prefect flow, each stage a task run of its name. For any DVC project.

DVC knows what depends on what and what changed, and caches; Prefect shows it, and tries again. Prefect caches nothing.
"""

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, StateType, TaskRun
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import Task

from flows import experiment, told
from gazette.core.errors import BrokenContract, Misconfigured
from gazette.pipeline import graph
from gazette.pipeline import state as notes
from gazette.pipeline.execution import forkserver, lock_order
from gazette.pipeline.execution import run as running
from gazette.pipeline.execution.scheduler import FAILED, NOT_REACHED, RAN, RESTORED, Outcome, exit_code, walk
from gazette.pipeline.plan import Step, plan
from gazette.pipeline.recovery import guard, orphans, repair

# Exit codes after which the next try would end the same, or is not wanted.
IN_VAIN = (Misconfigured.code, BrokenContract.code, running.INTERRUPTED)
TYPES = {FAILED: StateType.FAILED, NOT_REACHED: StateType.CANCELLED}
RUNNERS = ("processes", "dask")


@flow(name="pipeline", persist_result=False)
def pipeline(
    root: str = ".",
    targets: list[str] | None = None,
    force: bool = False,
    keep_going: bool = False,
    overrides: list[str] | None = None,
    workers: int = 2,
    runner: str = "processes",
) -> State:
    """Brings the stages of the DVC project at `root` up to date, `workers` at once; fails where one of them did.

    Its result is the list of outcomes. With `overrides` all of it happens elsewhere, as an experiment.
    """
    home = Path(root).absolute()
    with guard.held(home) as deeds, experiment.tree(home, overrides or []) as tree:
        for deed in deeds:
            get_run_logger().warning(deed)
        steps = plan(graph.read(tree.folder, targets or []), notes.seconds(home), force)
        get_run_logger().info(told.briefly(steps))
        mark = {orphans.MARK: os.environ[orphans.MARK]}  # a worker of Dask's has another environment
        given = {"root": str(tree.folder), "extra": mark | _addresses() | tree.extra, "force": force}
        with _template(tree.folder, steps, runner) as template, _runner(runner, workers) as pool:
            outcomes = _walk(steps, {**given, "template": template}, pool, workers, keep_going)
        page = told.markdown(outcomes, graph.metrics_diff(tree.folder), _links(home), tree.name)
    notes.note_seconds(home, {outcome.stage: outcome.seconds for outcome in outcomes if outcome.state == RAN})
    create_markdown_artifact(page, key="stages", description="what became of each stage")
    kind = StateType.FAILED if exit_code(outcomes) else StateType.COMPLETED
    return State(type=kind, message=told.in_a_line(outcomes, tree.name), data=outcomes)


def _walk(
    steps: list[Step], given: dict[str, Any], pool: TaskRunner[Any], workers: int, keep_going: bool
) -> list[Outcome]:
    with lock_order.kept_in_order(Path(given["root"]), [step.stage for step in steps]) as put_in_order:

        def start(step: Step) -> Submitted:
            own = {"stage": step.stage, "timeout": step.hints.timeout}
            return Submitted(step.stage, pool.submit(_named(run, step), {**own, **given}))

        def settle(step: Step, outcome: Outcome) -> None:
            if outcome.state == RAN or outcome.state == RESTORED:
                put_in_order()
            elif not outcome.seconds:
                _named(note, step)(step.stage, outcome, return_state=True)

        try:
            return walk(steps, start, settle, workers, keep_going)
        finally:
            running.end_all()  # there are none, unless the walk was interrupted


def _named(work: Task[..., State], step: Step) -> Task[..., State]:
    """The task under the stage's name, tried as often as `meta:` of the stage says."""
    return work.with_options(
        name=step.stage,
        task_run_name=step.stage,
        retries=step.hints.retries,
        retry_delay_seconds=step.hints.retry_delay,
        retry_condition_fn=_may_end_otherwise,
    )


def _may_end_otherwise(work: Task[..., Any], attempt: TaskRun, state: State) -> bool:
    return isinstance(state.data, Outcome) and state.data.code not in IN_VAIN


@task(cache_policy=NO_CACHE, persist_result=False)
def run(
    stage: str, timeout: float | None, root: str, extra: dict[str, str], force: bool, template: str | None
) -> State:
    """Runs a stage, its output in the log of the task run as it comes."""
    outcome = running.run(Path(root), stage, get_run_logger().info, force, timeout, extra, template)
    if outcome.code == running.LATE:
        with suppress(Misconfigured):  # another stage is at DVC's files: then the next run mends them
            repair.mend(Path(root), interrupted=True)
    return _state(outcome)


@task(cache_policy=NO_CACHE, persist_result=False)
def note(stage: str, outcome: Outcome) -> State:
    """Notes a stage that did not have to run, or could not."""
    return _state(outcome)


def _state(outcome: Outcome) -> State:
    kind = TYPES.get(outcome.state, StateType.COMPLETED)
    return State(type=kind, name=outcome.state.capitalize(), message=outcome.message or None, data=outcome)


@dataclass(frozen=True)
class Submitted:
    """A stage under way at the runner."""

    stage: str
    future: PrefectFuture[Any]

    def add_done_callback(self, fn: "Callable[[Submitted], object]") -> None:
        """Calls `fn` once the stage is done."""

        def done(_: PrefectFuture[Any]) -> None:
            fn(self)

        self.future.add_done_callback(done)

    def result(self) -> Outcome:
        """The outcome; that of a stage whose worker was lost is ours to say."""
        found = self.future.result(raise_on_failure=False)
        return found if isinstance(found, Outcome) else Outcome(self.stage, FAILED, 0.0, 70, repr(found))


def _runner(name: str, workers: int) -> TaskRunner[Any]:
    """Where stages run: in children of this process, or on a Dask cluster, at DASK_SCHEDULER or made for this run."""
    if name not in RUNNERS:
        raise Misconfigured(f"runner {name}: expected one of {', '.join(RUNNERS)}")
    if name == "processes":
        return ThreadPoolTaskRunner(max_workers=workers)
    from prefect_dask import DaskTaskRunner

    logging.getLogger("distributed").setLevel(logging.WARNING)
    here = {"cluster_kwargs": {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}}
    address = os.environ.get("DASK_SCHEDULER")
    runner: TaskRunner[Any] = DaskTaskRunner(**({"address": address} if address else here))
    return runner


def _template(folder: Path, steps: list[Step], runner: str) -> AbstractContextManager[str | None]:
    """A DVC started ahead, where there is something to run and it runs in children of this process."""
    if runner == "processes" and any(step.wave for step in steps):
        return forkserver.template(folder, running.environment({}))
    return nullcontext()


def _addresses() -> dict[str, str]:
    """Where servers are, for stages that run on another machine's environment."""
    return {name: os.environ[name] for name in ("MLFLOW_TRACKING_URI",) if name in os.environ}


def _links(root: Path) -> dict[str, str]:
    report, database = root / "reports" / "report.html", root / "mlflow.db"
    links = {"report": report.as_uri()} if report.exists() else {}
    registry = os.environ.get("MLFLOW_TRACKING_URI") or (f"sqlite:///{database}" if database.exists() else "")
    return links | ({"registry": registry} if registry else {})
