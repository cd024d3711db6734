"""What runs when, with stages that are Python functions: no process, no server."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from prefect_dvc.execution.scheduler import FAILED, NOT_REACHED, RAN, UNCHANGED, StageOutcome, exit_code, run_steps
from prefect_dvc.plan import Change, Hints, Node, plan

NEW = (Change("stage", "", "new"),)


class Stages:
    """Runs a graph, and records what ran, in which order, and what ran side by side."""

    def __init__(self, nodes: list[Node], ends: dict[str, StageOutcome] | None = None, takes: float = 0.0) -> None:
        self.steps = plan(nodes, {})
        self.ends = ends or {}
        self.takes = takes
        self.ran: list[str] = []
        self.now: set[str] = set()
        self.together: set[frozenset[str]] = set()
        self.guard = threading.Lock()

    def run(self, name: str) -> StageOutcome:
        with self.guard:
            self.ran.append(name)
            self.now.add(name)
            self.together.add(frozenset(self.now))
        time.sleep(self.takes)
        with self.guard:
            self.now.remove(name)
        return self.ends.get(name, StageOutcome(name, RAN, 1.0))

    def walk(self, workers: int = 2, keep_going: bool = False) -> list[StageOutcome]:
        self.settled: list[str] = []
        with ThreadPoolExecutor() as pool:
            return run_steps(
                self.steps,
                lambda step: pool.submit(self.run, step.stage),
                lambda step, outcome: self.settled.append(step.stage),
                workers,
                keep_going,
            )


def states(outcomes: list[StageOutcome]) -> dict[str, str]:
    return {outcome.stage: outcome.state for outcome in outcomes}


def fan(changes: tuple[Change, ...] = NEW, hints: Hints | None = None) -> list[Node]:
    """Return start, then a, b, c, d, then end; `hints` for a and b."""
    middle = [
        Node(name, ("start",), changes, hints=hints or Hints.model_validate({}))
        if name in "ab"
        else Node(name, ("start",), changes)
        for name in "abcd"
    ]
    return [Node("start", (), changes), *middle, Node("end", ("a", "b", "c", "d"), changes)]


def failing(*names: str, code: int = 1) -> dict[str, StageOutcome]:
    return {name: StageOutcome(name, FAILED, 1.0, code, "last words") for name in names}


def test_without_changes_nothing_is_started() -> None:
    stages = Stages(fan(changes=()))
    assert set(states(stages.walk()).values()) == {UNCHANGED}
    assert stages.ran == []


def test_upstream_runs_first_and_outcomes_come_in_the_order_of_a_serial_run() -> None:
    stages = Stages(fan())
    outcomes = stages.walk(workers=4)
    assert [outcome.stage for outcome in outcomes] == ["start", "a", "b", "c", "d", "end"]
    assert (stages.ran[0], stages.ran[-1]) == ("start", "end")


def test_as_many_run_at_once_as_there_are_workers() -> None:
    for workers in (1, 3):
        stages = Stages(fan(), takes=0.1)
        stages.walk(workers)
        assert max(map(len, stages.together)) == workers


def test_a_stage_starts_when_its_own_upstream_is_done_and_not_a_wave_later() -> None:
    nodes = [Node("slow", (), NEW), Node("fast", (), NEW), Node("after", ("fast",), NEW)]
    began: dict[str, float] = {}
    stages = Stages(nodes)

    def run(name: str) -> StageOutcome:
        began[name] = time.monotonic()
        time.sleep(0.5 if name == "slow" else 0)
        began[f"{name} done"] = time.monotonic()
        return StageOutcome(name, RAN)

    stages.run = run  # type: ignore[method-assign]
    stages.walk()
    assert began["after"] < began["slow done"]


def test_two_stages_of_one_mutex_never_run_at_once_and_others_do() -> None:
    stages = Stages(fan(hints=Hints.model_validate({"mutex": "gpu"})), takes=0.1)
    stages.walk(workers=4)
    assert not any({"a", "b"} <= group for group in stages.together)
    assert any({"c", "d"} <= group for group in stages.together)


def test_a_stage_whose_upstream_came_out_unchanged_is_unchanged() -> None:
    nodes = [Node("a", (), NEW), Node("b", ("a",))]
    stages = Stages(nodes, {"a": StageOutcome("a", UNCHANGED, 1.0)})
    assert states(stages.walk()) == {"a": UNCHANGED, "b": UNCHANGED}
    assert stages.ran == ["a"]


def test_after_a_failure_nothing_new_is_started_and_what_runs_ends() -> None:
    stages = Stages(fan(), failing("a"), takes=0.05)
    result = states(stages.walk(workers=2))
    assert result == {
        "start": RAN,
        "a": FAILED,
        "b": result["b"],
        "c": result["c"],
        "d": NOT_REACHED,
        "end": NOT_REACHED,
    }


def test_keep_going_runs_all_that_does_not_depend_on_what_failed() -> None:
    stages = Stages(fan(), failing("a"))
    outcomes = stages.walk(keep_going=True)
    assert states(outcomes) == {"start": RAN, "a": FAILED, "b": RAN, "c": RAN, "d": RAN, "end": NOT_REACHED}
    assert outcomes[-1].message == "a failed"


def test_what_was_not_reached_names_the_stage_that_failed_not_the_one_between() -> None:
    nodes = [Node("a", (), NEW), Node("b", ("a",), NEW), Node("c", ("b",), NEW)]
    outcomes = Stages(nodes, failing("a")).walk(keep_going=True)
    assert [outcome.message for outcome in outcomes[1:]] == ["a failed", "a failed"]


def test_the_exit_code_is_that_of_the_first_failure_in_serial_order() -> None:
    ends = failing("d", code=1) | failing("b", code=3)
    assert exit_code(Stages(fan(), ends).walk(keep_going=True)) == 3
    assert exit_code(Stages(fan()).walk()) == 0


def test_of_two_failures_upstream_the_first_in_serial_order_is_named() -> None:
    outcomes = Stages(fan(), failing("c", "b")).walk(keep_going=True)
    assert outcomes[-1] == StageOutcome("end", NOT_REACHED, 0.0, 0, "b failed")


def test_a_stage_that_does_not_run_takes_no_time_and_has_no_exit_code() -> None:
    for outcome in Stages(fan(changes=())).walk():
        assert outcome == StageOutcome(outcome.stage, UNCHANGED, seconds=0.0, code=0, message="")


def test_unless_asked_to_keep_going_it_stops_and_each_outcome_is_settled_with_its_own_step() -> None:
    stages, settled = Stages(fan(), failing("a")), []
    with ThreadPoolExecutor() as pool:
        outcomes = run_steps(
            stages.steps,
            lambda step: pool.submit(stages.run, step.stage),
            lambda step, outcome: settled.append((step.stage, outcome.stage, outcome.state)),
            workers=1,
        )
    assert states(outcomes) == {"start": RAN, "a": FAILED} | dict.fromkeys([*"bcd", "end"], NOT_REACHED)
    assert settled == [(outcome.stage, outcome.stage, outcome.state) for outcome in outcomes]


def test_every_outcome_is_settled_once() -> None:
    stages = Stages(fan(), failing("start"))
    stages.walk()
    assert sorted(stages.settled) == ["a", "b", "c", "d", "end", "start"]
