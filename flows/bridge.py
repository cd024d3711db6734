"""A DVC graph as one Prefect flow, each stage a task run with its name. For any DVC project.

DVC knows dependencies and changes, and caches; Prefect shows the run, and retries. Prefect caches nothing.
"""

import os
from collections.abc import Callable
from contextlib import suppress
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

from flows import artifacts, experiment
from flows.failures import failed
from flows.runners import dask_runner
from gazette.core.errors import ConfigError, DataContractError, GazetteError
from gazette.pipeline import connection, git_environment, graph
from gazette.pipeline.execution import forkserver, lock_order
from gazette.pipeline.execution.run import INTERRUPTED, TIMED_OUT, run_stage, terminate_all
from gazette.pipeline.execution.scheduler import FAILED, NOT_REACHED, RAN, RESTORED, StageOutcome, exit_code, run_steps
from gazette.pipeline.plan import Step, plan
from gazette.pipeline.recovery import guard, orphans, repair
from gazette.pipeline.state import read_seconds, record_seconds
from gazette.registry.store import address

# Exit codes after which a retry would end the same, or is not wanted.
FINAL_CODES = (ConfigError.code, DataContractError.code, INTERRUPTED)
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
    """Bring the stages of the DVC project at `root` up to date, `workers` at once; fails if one of them does.

    Its result is the list of outcomes. With `overrides` it runs in a worktree, as an experiment.
    """
    git_environment.forget_caller()
    try:
        return _bring_up_to_date(
            Path(root).resolve(), targets or [], force, keep_going, overrides or [], workers, runner
        )
    except GazetteError as error:
        return failed(error)


def _bring_up_to_date(
    home: Path, targets: list[str], force: bool, keep_going: bool, overrides: list[str], workers: int, runner: str
) -> State:
    with guard.exclusive_run(home) as repairs, experiment.tree(home, overrides) as tree:
        for line in repairs:
            get_run_logger().warning(line)
        steps = plan(graph.read_graph(tree.folder, targets), read_seconds(home), force)
        get_run_logger().info(artifacts.summarize_plan(steps))
        mark = {orphans.MARK: os.environ[orphans.MARK]}  # a Dask worker has another environment
        forked = runner == "processes" and any(step.wave for step in steps)
        if forked:
            forkserver.start(tree.folder, [step.stage for step in steps])
        extra = mark | _addresses(home) | tree.extra
        options = {"root": str(tree.folder), "extra": extra, "force": force, "forked": forked}
        with _runner(runner, workers) as pool:
            outcomes = _run_steps(steps, options, pool, workers, keep_going)
        page = artifacts.render_page(outcomes, graph.metrics_diff(tree.folder), _links(home), tree.name)
    record_seconds(home, {outcome.stage: outcome.seconds for outcome in outcomes if outcome.state == RAN})
    create_markdown_artifact(page, key="stages", description="the outcome of each stage")
    kind = StateType.FAILED if exit_code(outcomes) else StateType.COMPLETED
    return State(type=kind, message=artifacts.summarize_outcomes(outcomes, tree.name), data=outcomes)


def _run_steps(
    steps: list[Step], options: dict[str, Any], pool: TaskRunner[Any], workers: int, keep_going: bool
) -> list[StageOutcome]:
    with lock_order.preserve_lock_order(Path(options["root"]), [step.stage for step in steps]) as sort_locks:

        def start(step: Step) -> Submitted:
            parameters = {"stage": step.stage, "timeout": step.hints.timeout, **options}
            return Submitted(step.stage, pool.submit(_stage_task(run, step), parameters))

        def settle(step: Step, outcome: StageOutcome) -> None:
            if outcome.state == RAN or outcome.state == RESTORED:
                sort_locks()
            elif not outcome.seconds:
                _stage_task(record, step)(step.stage, outcome, return_state=True)

        try:
            return run_steps(steps, start, settle, workers, keep_going)
        finally:
            terminate_all()  # there are none, unless the run was interrupted


def _stage_task(work: Task[..., State], step: Step) -> Task[..., State]:
    """Return the task with the stage's name, and the retries in the stage's `meta:`."""
    return work.with_options(
        name=step.stage,
        task_run_name=step.stage,
        retries=step.hints.retries,
        retry_delay_seconds=step.hints.retry_delay,
        retry_condition_fn=_should_retry,
    )


def _should_retry(work: Task[..., Any], attempt: TaskRun, state: State) -> bool:
    return isinstance(state.data, StageOutcome) and state.data.code not in FINAL_CODES


@task(cache_policy=NO_CACHE, persist_result=False)
def run(stage: str, timeout: float | None, root: str, extra: dict[str, str], force: bool, forked: bool) -> State:
    """Run a stage, its output live in the log of the task run."""
    outcome = run_stage(Path(root), stage, get_run_logger().info, force, timeout, extra, forked)
    if outcome.code == TIMED_OUT:
        with suppress(ConfigError):  # another stage uses DVC's files: then the next run repairs them
            repair.repair_files(Path(root), interrupted=True)
    return _state(outcome)


@task(cache_policy=NO_CACHE, persist_result=False)
def record(stage: str, outcome: StageOutcome) -> State:
    """Record a stage that did not have to run, or could not."""
    return _state(outcome)


def _state(outcome: StageOutcome) -> State:
    kind = TYPES.get(outcome.state, StateType.COMPLETED)
    return State(type=kind, name=outcome.state.capitalize(), message=outcome.message or None, data=outcome)


@dataclass(frozen=True)
class Submitted:
    """A stage that was submitted to the runner."""

    stage: str
    future: PrefectFuture[Any]

    def add_done_callback(self, fn: "Callable[[Submitted], object]") -> None:
        """Call `fn` once the stage is done."""

        def done(_: PrefectFuture[Any]) -> None:
            fn(self)

        self.future.add_done_callback(done)

    def result(self) -> StageOutcome:
        """Return the outcome, also of a stage whose worker was lost."""
        result = self.future.result(raise_on_failure=False)
        return result if isinstance(result, StageOutcome) else StageOutcome(self.stage, FAILED, 0.0, 70, repr(result))


def _runner(name: str, workers: int) -> TaskRunner[Any]:
    """Return the task runner: child processes of this one, or a Dask cluster."""
    if name not in RUNNERS:
        raise ConfigError(f"runner {name}: expected one of {', '.join(RUNNERS)}")
    return ThreadPoolTaskRunner(max_workers=workers) if name == "processes" else dask_runner(workers)


def _addresses(root: Path) -> dict[str, str]:
    """Return the addresses of servers, for stages that run on another machine."""
    return {address.VARIABLE: address.absolute_uri(root)} if address.is_named() else {}


def _links(root: Path) -> dict[str, str]:
    report = root / "reports" / "report.html"
    links = {"report": report.as_uri()} if report.exists() else {}
    has_registry = address.is_named() or (root / address.DATABASE).exists()
    return links | ({"registry": connection.redact(address.absolute_uri(root))} if has_registry else {})
