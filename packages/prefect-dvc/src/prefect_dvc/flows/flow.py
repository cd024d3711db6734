"""A DVC graph as one Prefect flow, each stage a task run with its name.

DVC knows dependencies and changes, and caches; Prefect shows the run, and retries. Prefect caches nothing.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast, overload

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State, StateType
from prefect.flows import Flow

from prefect_dvc import environment, git_environment, graph, state
from prefect_dvc.core.errors import CommandError, ConfigError
from prefect_dvc.execution import forkserver
from prefect_dvc.execution.scheduler import RAN, StageOutcome, exit_code
from prefect_dvc.flows import artifacts, experiment, runners, stage_runs
from prefect_dvc.flows.failures import failed
from prefect_dvc.plan import plan
from prefect_dvc.recovery import guard, orphans

OfProject = Callable[[Path], Mapping[str, str]]  # given the folder of a project
RunStages = Callable[[], list[StageOutcome]]
Body = Callable[[RunStages], Any]
ProjectFlow = Flow[..., State]


def nothing(root: Path) -> Mapping[str, str]:
    """Return nothing, for any project."""
    return {}


@dataclass(frozen=True)
class Options:
    """What is to run, and how; the parameters of a flow but for the project's folder."""

    targets: list[str]
    force: bool
    keep_going: bool
    overrides: list[str]
    workers: int
    runner: str


@overload
def dvc_flow(function: Body, /) -> ProjectFlow: ...
@overload
def dvc_flow(
    *, name: str | None = None, variables: OfProject = nothing, links: OfProject = nothing, **options: Any
) -> Callable[[Body], ProjectFlow]: ...


def dvc_flow(
    function: Body | None = None,
    /,
    *,
    name: str | None = None,
    variables: OfProject = nothing,
    links: OfProject = nothing,
    **options: Any,
) -> Any:
    """Decorate a function as a Prefect flow of a DVC project, with or without arguments.

        @dvc_flow(name="nightly", retries=1)
        def nightly(run_stages):
            outcomes = run_stages()

    The function gets `run_stages`, which brings the stages up to date and returns the outcome of each. What it returns
    is ignored: the flow fails if a stage did, and its result is the list of outcomes. `variables` returns what is added
    to the environment of stages, wherever they run, `links` what the page of a run links to, by name. `options` are
    those of Prefect's `flow`.

    The parameters of the flow are `root` (the project's folder), `targets` (stages, by default all), `force`,
    `keep_going` (after a failure, run what does not depend on it), `overrides` (as an experiment, such as
    `params.yaml:train.seed=8`), `workers` (stages at once) and `runner` (`processes` or `dask`). Each has a default.
    """
    if function is None:
        return partial(dvc_flow, name=name, variables=variables, links=links, **options)

    def body(
        root: str = ".",
        targets: list[str] | None = None,
        force: bool = False,
        keep_going: bool = False,
        overrides: list[str] | None = None,
        workers: int = 2,
        runner: str = "processes",
    ) -> State:
        git_environment.forget_caller()
        chosen = Options(targets or [], force, keep_going, overrides or [], workers, runner)
        states: list[State] = []

        def run_stages() -> list[StageOutcome]:
            states.append(_bring_up_to_date(Path(root).resolve(), chosen, variables, links))
            return cast(list[StageOutcome], states[-1].data)

        try:
            function(run_stages)
        except CommandError as error:
            return failed(error)
        if not states:
            return State(type=StateType.COMPLETED, message="no stages were run", data=[])
        return next((ended for ended in states if ended.is_failed()), states[-1])

    return as_flow(body, function, name, options)


def as_flow(body: Callable[..., State], function: Callable[..., Any], name: str | None, options: dict[str, Any]) -> Any:
    """Return a body as a Prefect flow that is named and described as a function is."""
    for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(body, attribute, getattr(function, attribute))
    return flow(name=name or function.__name__, persist_result=False, **options)(body)


@dvc_flow
def pipeline(run_stages: RunStages) -> None:
    """Bring the stages of the DVC project at `root` up to date, `workers` at once; fails if one of them does.

    Its result is the list of outcomes. With `overrides` it runs in a worktree, as an experiment.
    """
    run_stages()


def _bring_up_to_date(home: Path, options: Options, variables: OfProject, links: OfProject) -> State:
    if options.overrides and options.targets:
        raise ConfigError("an experiment (--set) is of all stages: leave --target out")
    added = {**variables(home), **_policy()}
    with guard.exclusive_run(home) as repairs, experiment.tree(home, options.overrides, added) as tree:
        for line in repairs:
            get_run_logger().warning(line)
        if options.runner == "processes" and (options.force or not (tree.folder / "dvc.lock").exists()):
            forkserver.start(tree.folder)  # stages will run: it imports DVC while the graph is read
        steps = plan(graph.read_graph(tree.folder, options.targets), state.read_seconds(home), options.force)
        get_run_logger().info(artifacts.summarize_plan(steps))
        mark = {orphans.MARK: os.environ[orphans.MARK]}  # a Dask worker has another environment
        forked = options.runner == "processes" and any(step.wave for step in steps)
        if forked:
            forkserver.start(tree.folder)
        how = {"root": str(tree.folder), "extra": mark | tree.extra, "force": options.force, "forked": forked}
        with runners.task_runner(options.runner, options.workers) as pool:
            outcomes = stage_runs.run_all(steps, how, pool, options.workers, options.keep_going)
        if not exit_code(outcomes):
            tree.save()
        page = artifacts.render_page(outcomes, graph.metrics_diff(tree.folder), links(home), tree.name)
    state.record_seconds(home, {outcome.stage: outcome.seconds for outcome in outcomes if outcome.state == RAN})
    create_markdown_artifact(page, key="stages", description="the outcome of each stage")
    kind = StateType.FAILED if exit_code(outcomes) else StateType.COMPLETED
    return State(type=kind, message=artifacts.summarize_outcomes(outcomes, tree.name), data=outcomes)


def _policy() -> dict[str, str]:
    """Return the variable that says what a stage inherits: a Dask worker has another environment."""
    name = os.environ.get(environment.POLICY)
    return {environment.POLICY: name} if name else {}
