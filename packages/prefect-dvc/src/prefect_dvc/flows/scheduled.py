"""A scheduled run: the stages in a git worktree at a branch's head, the results pushed to the branch."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, overload

from prefect import get_run_logger
from prefect.client.schemas.objects import State, StateType
from prefect.runtime import flow_run

from prefect_dvc import git_environment, graph, supervisor
from prefect_dvc.core.errors import CommandError, ConfigError, DataContractError
from prefect_dvc.execution.scheduler import StageOutcome, exit_code
from prefect_dvc.flows import flow as running
from prefect_dvc.flows.failures import failed
from prefect_dvc.publishing import publish, raw_data
from prefect_dvc.publishing.worktree import Worktree, worktree


@dataclass(frozen=True)
class PublishedRun:
    """A run whose results are public: the project's folder, that of its worktree, and where the results are."""

    root: Path
    folder: Path
    published: publish.Published


Body = Callable[[PublishedRun], Any]


@overload
def scheduled_dvc_flow(function: Body, /) -> running.ProjectFlow: ...
@overload
def scheduled_dvc_flow(
    *,
    stages: running.ProjectFlow | None = None,
    name: str | None = None,
    variables: running.OfProject = running.nothing,
    **options: Any,
) -> Callable[[Body], running.ProjectFlow]: ...


def scheduled_dvc_flow(
    function: Body | None = None,
    /,
    *,
    stages: running.ProjectFlow | None = None,
    name: str | None = None,
    variables: running.OfProject = running.nothing,
    **options: Any,
) -> Any:
    """Decorate a function as a Prefect flow that runs `stages`, a `dvc_flow`, in a worktree and publishes the results.

    Data go to DVC's remote, then locks and metrics to the branch; a branch only moves forward. The function gets a
    `PublishedRun` while the worktree still exists. The tree at `root` is not touched: only its repository and its DVC
    cache are used. `variables` returns what is added to the environment, given `root`. `options` are those of Prefect's
    `flow`.

    The parameters of the flow are `root`, `branch`, `remote` (by default `origin`), `revision` (by default the head of
    the branch), `prepare` (commands that bring raw data which are neither in the cache nor at DVC's remote), and
    `targets`, `force`, `workers` and `runner` as those of a `dvc_flow`. Each has a default.
    """
    if function is None:
        return partial(scheduled_dvc_flow, stages=stages, name=name, variables=variables, **options)
    inner = stages or running.pipeline

    def body(
        root: str = ".",
        branch: str = "main",
        remote: str = "",
        revision: str = "",
        targets: list[str] | None = None,
        force: bool = False,
        workers: int = 2,
        runner: str = "processes",
        prepare: list[str] | None = None,
    ) -> State:
        supervisor.exit_with_parent()
        home = Path(root).resolve()
        git_environment.forget_caller()
        os.environ |= {**git_environment.without_hooks(os.environ), **variables(home)}
        how = {"targets": targets, "force": force, "workers": workers, "runner": runner}
        try:
            with worktree(home, branch, remote, revision) as tree:
                published = _publish(tree, partial(inner, **how), prepare or [])
                function(PublishedRun(home, tree.folder, published))
        except CommandError as error:
            return failed(error)
        return State(type=StateType.COMPLETED, message=str(published), data=published)

    return running.as_flow(body, function, name, options)


@scheduled_dvc_flow
def retrain(run: PublishedRun) -> None:
    """Bring the stages at the head of `branch`, or at `revision`, up to date and push data, locks and metrics."""


def _publish(tree: Worktree, run_stages: Callable[..., Any], prepare: list[str]) -> publish.Published:
    log = get_run_logger()
    log.info(f"{tree.branch} at {tree.base[:9]} of {tree.remote}, in {tree.folder}")
    if error := raw_data.fetch_data(tree.folder, prepare, log.info):
        log.warning(error)
    state = run_stages(root=str(tree.folder), return_state=True)
    outcomes: Any = state.result(raise_on_failure=False)
    if isinstance(outcomes, BaseException):
        raise outcomes
    if code := exit_code(outcomes):
        kind = DataContractError if code == DataContractError.code else ConfigError
        raise kind(state.message or "")
    return publish.publish(tree, str(flow_run.name), _commit_message(tree.folder, outcomes))


def _commit_message(folder: Path, outcomes: list[StageOutcome]) -> str:
    run = f"{flow_run.name} ({flow_run.id})"
    states = [(outcome.stage, outcome.state) for outcome in outcomes]
    return publish.commit_message(run, states, graph.metrics_diff(folder))
