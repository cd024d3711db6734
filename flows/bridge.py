"""The flow `pipeline`: DVC's graph in Prefect, with the registry's address for its stages and on its page."""

from pathlib import Path

from prefect_dvc import connection, dvc_flow
from prefect_dvc.flows.flow import RunStages

from gazette.registry.store import address


def registry_address(root: Path) -> dict[str, str]:
    """Return the registry's address, if it is named: stages run in other folders, and on other machines, too."""
    return {address.VARIABLE: address.absolute_uri(root)} if address.is_named() else {}


def links(root: Path) -> dict[str, str]:
    """Return the report and the registry, if there are any."""
    report = root / "reports" / "report.html"
    pages = {"report": report.as_uri()} if report.exists() else {}
    has_registry = address.is_named() or (root / address.DATABASE).exists()
    return pages | ({"registry": connection.redact(address.absolute_uri(root))} if has_registry else {})


@dvc_flow(variables=registry_address, links=links)
def pipeline(run_stages: RunStages) -> None:
    """Bring the stages of the project at `root` up to date, `workers` at once; fails if one of them does.

    Its result is the list of outcomes. With `overrides` it runs in a worktree, as an experiment.
    """
    run_stages()
