"""The flow `retrain`: the pipeline in a git worktree, its results pushed to a branch, a new challenger announced."""

from prefect_dvc import scheduled_dvc_flow
from prefect_dvc.flows.scheduled import PublishedRun

from flows import notify
from flows.bridge import pipeline
from gazette.pipeline.state import find_new_challenger
from gazette.registry.store import address


@scheduled_dvc_flow(
    stages=pipeline,
    variables=lambda root: {address.VARIABLE: address.absolute_uri(root)},  # that of the project, not of the worktree
    on_failure=[notify.notify_failure],
    on_crashed=[notify.notify_failure],
)
def retrain(run: PublishedRun) -> None:
    """Bring the stages at the head of `branch`, or at `revision`, up to date and push data, locks and metrics.

    If raw data are neither in the cache nor at the remote, the commands `prepare` run in the worktree first. The tree
    at `root` is not touched: only its repository, its DVC cache and its registry are used.
    """
    if challenger := find_new_challenger(run.root, run.folder):
        notify.send(f"new challenger: {challenger}", str(run.published))
