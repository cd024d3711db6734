"""The stages of a plan as task runs of Prefect."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, StateType, TaskRun
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner
from prefect.tasks import Task

from prefect_dvc.core.errors import ConfigError, DataContractError
from prefect_dvc.execution import lock_order
from prefect_dvc.execution.run import INTERRUPTED, TIMED_OUT, run_stage, terminate_all
from prefect_dvc.execution.scheduler import FAILED, NOT_REACHED, RAN, RESTORED, StageOutcome, run_steps
from prefect_dvc.plan import Step
from prefect_dvc.recovery import repair

# Exit codes after which a retry would end the same, or is not wanted.
FINAL_CODES = (ConfigError.code, DataContractError.code, INTERRUPTED)
TYPES = {FAILED: StateType.FAILED, NOT_REACHED: StateType.CANCELLED}


def run_all(
    steps: list[Step], options: dict[str, Any], pool: TaskRunner[Any], workers: int, keep_going: bool
) -> list[StageOutcome]:
    """Run the steps of a plan, `workers` at once, and return the outcomes; `options` are those of the task `run`."""
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
