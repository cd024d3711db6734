"""The scheduled run: the pipeline in a git worktree, its results pushed to a branch."""

import os
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State, StateType
from prefect.runtime import flow_run

from flows import notify
from flows.bridge import pipeline
from flows.failures import failed
from gazette.core.errors import ConfigError, DataContractError, GazetteError
from gazette.pipeline import git_environment, graph, supervisor
from gazette.pipeline.execution.scheduler import StageOutcome, exit_code
from gazette.pipeline.publishing import publish, raw_data
from gazette.pipeline.publishing.worktree import Worktree, worktree
from gazette.pipeline.state import find_new_challenger
from gazette.registry.store import address


@flow(name="retrain", persist_result=False, on_failure=[notify.notify_failure], on_crashed=[notify.notify_failure])
def retrain(
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
    """Bring the stages at the head of `branch`, or at `revision`, up to date and push data, locks and metrics.

    If raw data are neither in the cache nor at the remote, the commands `prepare` run in the worktree first. The tree
    at `root` is not touched: only its repository, its DVC cache and its registry are used.
    """
    supervisor.exit_with_parent()
    home = Path(root).resolve()
    git_environment.forget_caller()
    os.environ |= git_environment.without_hooks(os.environ)
    os.environ["MLFLOW_TRACKING_URI"] = address.absolute_uri(home)
    options = {"targets": targets, "force": force, "workers": workers, "runner": runner}
    try:
        with worktree(home, branch, remote, revision) as tree:
            return _retrain(home, tree, options, prepare or [])
    except GazetteError as error:
        return failed(error)


def _retrain(home: Path, tree: Worktree, options: dict[str, Any], prepare: list[str]) -> State:
    log = get_run_logger()
    log.info(f"{tree.branch} at {tree.base[:9]} of {tree.remote}, in {tree.folder}")
    if error := raw_data.fetch_data(tree.folder, prepare, log.info):
        log.warning(error)
    state = pipeline(root=str(tree.folder), **options, return_state=True)
    outcomes: Any = state.result(raise_on_failure=False)
    if isinstance(outcomes, BaseException):
        raise outcomes
    if code := exit_code(outcomes):
        kind = DataContractError if code == DataContractError.code else ConfigError
        return failed(kind(state.message or ""))
    published = publish.publish(tree, str(flow_run.name), _commit_message(tree.folder, outcomes))
    if challenger := find_new_challenger(home, tree.folder):
        notify.send(f"new challenger: {challenger}", _summarize(published))
    return State(type=StateType.COMPLETED, message=_summarize(published), data=published)


def _commit_message(folder: Path, outcomes: list[StageOutcome]) -> str:
    run = f"{flow_run.name} ({flow_run.id})"
    states = [(outcome.stage, outcome.state) for outcome in outcomes]
    return publish.commit_message(run, states, graph.metrics_diff(folder))


def _summarize(published: publish.Published) -> str:
    what = f"{published.commit[:9]} on" if published.commit else "nothing new for"
    return f"{what} {published.branch}" + (f": {published.why}" if published.why else "")
