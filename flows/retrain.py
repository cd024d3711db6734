"""The scheduled run: the pipeline in a git worktree of its own, its results pushed to a branch."""

import os
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State, StateType
from prefect.runtime import flow_run

from flows import notify
from flows.bridge import pipeline
from gazette.core.errors import BrokenContract, Stop
from gazette.pipeline import graph, supervisor
from gazette.pipeline import state as notes
from gazette.pipeline.execution.scheduler import Outcome, exit_code
from gazette.pipeline.publishing import publish, raw_data
from gazette.pipeline.publishing.worktree import Worktree, worktree
from gazette.registry.store import address


@flow(name="retrain", persist_result=False, on_failure=[notify.ended_badly], on_crashed=[notify.ended_badly])
def retrain(
    root: str = ".",
    branch: str = "main",
    remote: str = "",
    revision: str = "",
    targets: list[str] | None = None,
    force: bool = False,
    workers: int = 2,
    runner: str = "processes",
) -> State:
    """Brings the stages at the head of `branch`, or at `revision`, up to date and pushes data, locks and metrics.

    The tree at `root` is not touched: only its repository, its DVC cache and its registry are used.
    """
    supervisor.end_with_parent()
    home = Path(root).absolute()
    os.environ["MLFLOW_TRACKING_URI"] = address.absolute(home)
    asked = {"targets": targets, "force": force, "workers": workers, "runner": runner}
    try:
        with worktree(home, branch, remote, revision) as tree:
            return _retrain(home, tree, asked)
    except Stop as stop:
        return _failed(str(stop), stop.code)


def _retrain(home: Path, tree: Worktree, asked: dict[str, Any]) -> State:
    log = get_run_logger()
    log.info(f"{tree.branch} at {tree.base[:9]} of {tree.remote}, in {tree.folder}")
    if missing := raw_data.bring(tree.folder):
        log.warning(missing)
    state = pipeline(root=str(tree.folder), **asked, return_state=True)
    outcomes: Any = state.result(raise_on_failure=False)
    if isinstance(outcomes, BaseException):
        raise outcomes
    if code := exit_code(outcomes):
        return _failed(state.message or "", code)
    published = publish.publish(tree, str(flow_run.name), _message(tree.folder, outcomes))
    if challenger := notes.new_challenger(home, tree.folder):
        notify.tell(f"new challenger: {challenger}", _in_a_line(published))
    return State(type=StateType.COMPLETED, message=_in_a_line(published), data=published)


def _failed(message: str, code: int) -> State:
    said = f"broken data contract: {message}" if code == BrokenContract.code else message
    return State(type=StateType.FAILED, message=said)


def _message(folder: Path, outcomes: list[Outcome]) -> str:
    run = f"{flow_run.name} ({flow_run.id})"
    states = [(outcome.stage, outcome.state) for outcome in outcomes]
    return publish.message(run, states, graph.metrics_diff(folder))


def _in_a_line(published: publish.Published) -> str:
    what = f"{published.commit[:9]} on" if published.commit else "nothing new for"
    return f"{what} {published.branch}" + (f": {published.why}" if published.why else "")
