"""Going through a plan: what runs when, side by side where it may, and what became of each stage. Pure."""

import queue
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from gazette.pipeline.plan import Step

RAN, RESTORED, UNCHANGED = "ran", "restored from cache", "unchanged"
FAILED, NOT_REACHED = "failed", "not reached"


@dataclass(frozen=True)
class Outcome:
    """What became of a stage."""

    stage: str
    state: str
    seconds: float = 0.0
    code: int = 0  # the stage's own exit code
    message: str = ""  # a failed stage's last lines, or why another did not run


class Future(Protocol):
    """What `start` answers: it will have the outcome as its result."""

    def result(self) -> Outcome: ...  # noqa: D102
    def add_done_callback(self, fn: "Callable[[Future], object]", /) -> object: ...  # noqa: D102


def walk(
    steps: Sequence[Step],
    start: Callable[[Step], Future],
    settle: Callable[[Step, Outcome], None],
    workers: int,
    keep_going: bool = False,
) -> list[Outcome]:
    """Starts each stage once all upstream is done, `workers` at most, and answers in the order of `steps`.

    `settle` is told of every outcome, also of those that cost nothing: a stage is unchanged where nothing of it changed
    and nothing upstream ran; it is not reached where something upstream failed, or anything did and not `keep_going`.
    """
    outcomes: dict[str, Outcome] = {}
    running: dict[str, Step] = {}
    done: queue.SimpleQueue[tuple[Step, Future]] = queue.SimpleQueue()

    def finish(step: Step, outcome: Outcome) -> None:
        outcomes[step.stage] = outcome
        settle(step, outcome)

    while len(outcomes) < len(steps):
        for step in steps:
            if step.stage in outcomes or step.stage in running or not outcomes.keys() >= set(step.upstream):
                continue
            if outcome := _without_running(step, outcomes, keep_going):
                finish(step, outcome)
            elif len(running) < workers and _is_free(step, running.values()):
                running[step.stage] = step
                start(step).add_done_callback(partial(_put, done, step))
        if running:
            step, future = _next(done)
            del running[step.stage]
            finish(step, future.result())
    return [outcomes[step.stage] for step in steps]


def _put(done: "queue.SimpleQueue[tuple[Step, Future]]", step: Step, future: Future) -> None:
    done.put((step, future))


def _next(done: "queue.SimpleQueue[tuple[Step, Future]]") -> tuple[Step, Future]:
    """What is done next, waited for with open eyes: a signal that another thread took is seen between two looks."""
    while True:
        with suppress(queue.Empty):
            return done.get(timeout=0.5)


def _without_running(step: Step, outcomes: dict[str, Outcome], keep_going: bool) -> Outcome | None:
    upstream = [outcomes[name] for name in step.upstream]
    failed = [outcome for outcome in (upstream if keep_going else outcomes.values()) if outcome.state == FAILED]
    reasons = [f"{outcome.stage} failed" for outcome in failed]
    reasons += [outcome.message for outcome in upstream if outcome.state == NOT_REACHED]
    if reasons:
        return Outcome(step.stage, NOT_REACHED, message=reasons[0])
    if step.stale or any(outcome.state in (RAN, RESTORED) for outcome in upstream):
        return None
    return Outcome(step.stage, UNCHANGED)


def _is_free(step: Step, running: Collection[Step]) -> bool:
    return step.hints.mutex is None or all(other.hints.mutex != step.hints.mutex for other in running)


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """The code of the first stage that failed, in the order of a serial run."""
    return next((outcome.code for outcome in outcomes if outcome.state == FAILED), 0)
