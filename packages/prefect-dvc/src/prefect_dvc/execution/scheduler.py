"""Running the steps of a plan in order, side by side if possible, and the outcome of each stage. Pure."""

import queue
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from prefect_dvc.plan import Step

RAN, RESTORED, UNCHANGED = "ran", "restored from cache", "unchanged"
FAILED, NOT_REACHED = "failed", "not reached"


@dataclass(frozen=True)
class StageOutcome:
    """The outcome of a stage."""

    stage: str
    state: str
    seconds: float = 0.0
    code: int = 0  # the stage's own exit code
    message: str = ""  # a failed stage's last lines, or why a stage was not reached


class Future(Protocol):
    """A running step, with the outcome as its result."""

    def result(self) -> StageOutcome: ...  # noqa: D102
    def add_done_callback(self, fn: "Callable[[Future], object]", /) -> object: ...  # noqa: D102


def run_steps(
    steps: Sequence[Step],
    start: Callable[[Step], Future],
    settle: Callable[[Step, StageOutcome], None],
    workers: int,
    keep_going: bool = False,
) -> list[StageOutcome]:
    """Start each stage once all upstream is done, at most `workers` at once; return outcomes in the order of `steps`.

    `settle` gets every outcome, also of stages that did not run: a stage is unchanged if nothing of it changed and
    nothing upstream ran; it is not reached if something upstream failed, or any stage did and not `keep_going`.
    """
    outcomes: dict[str, StageOutcome] = {}
    running: dict[str, Step] = {}
    done: queue.SimpleQueue[tuple[Step, Future]] = queue.SimpleQueue()

    def launch(step: Step) -> None:
        running[step.stage] = step
        start(step).add_done_callback(lambda future: done.put((step, future)))

    def finish(step: Step, outcome: StageOutcome) -> None:
        outcomes[step.stage] = outcome
        settle(step, outcome)

    while len(outcomes) < len(steps):
        for step in steps:
            if step.stage in outcomes or step.stage in running or not outcomes.keys() >= set(step.upstream):
                continue
            if outcome := _without_running(step, outcomes, keep_going):
                finish(step, outcome)
            elif len(running) < workers and _is_free(step, running.values()):
                launch(step)
        with suppress(queue.Empty):  # a wait without end would hold up signals
            step, future = done.get(timeout=0.5 if running else 0)
            del running[step.stage]
            finish(step, future.result())
    return [outcomes[step.stage] for step in steps]


def _without_running(step: Step, outcomes: dict[str, StageOutcome], keep_going: bool) -> StageOutcome | None:
    upstream = [outcomes[name] for name in step.upstream]
    failed = [outcome for outcome in (upstream if keep_going else outcomes.values()) if outcome.state == FAILED]
    reasons = [f"{outcome.stage} failed" for outcome in failed]
    reasons += [outcome.message for outcome in upstream if outcome.state == NOT_REACHED]
    if reasons:
        return StageOutcome(step.stage, NOT_REACHED, message=reasons[0])
    if step.stale or any(outcome.state in (RAN, RESTORED) for outcome in upstream):
        return None
    return StageOutcome(step.stage, UNCHANGED)


def _is_free(step: Step, running: Collection[Step]) -> bool:
    return step.hints.mutex is None or all(active.hints.mutex != step.hints.mutex for active in running)


def exit_code(outcomes: Sequence[StageOutcome]) -> int:
    """Return the code of the first stage that failed, in the order of a serial run; 0 if none did."""
    return next((outcome.code for outcome in outcomes if outcome.state == FAILED), 0)
