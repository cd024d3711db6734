"""A run of a flow from the command line: its options, repairs first, and a Prefect server for it."""

import signal
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import click

from prefect_dvc.execution.scheduler import exit_code
from prefect_dvc.flows import server
from prefect_dvc.recovery import guard

Decorator = Callable[[Any], Any]
workers: Decorator = click.option(
    "--workers", default=2, show_default=True, type=click.IntRange(1), help="Stages that run at once."
)
runner: Decorator = click.option(
    "--runner",
    default="processes",
    show_default=True,
    type=click.Choice(["processes", "dask"]),
    help="Processes of this machine, or the Dask cluster at DASK_SCHEDULER; without one, a cluster of this run alone.",
)
_OPTIONS: list[Decorator] = [
    click.option("--target", "targets", multiple=True, help="Only this stage and its upstream."),
    click.option("--force", is_flag=True, help="Run every stage, changed or not."),
    click.option("--keep-going", is_flag=True, help="After a failure, run what does not depend on it."),
    click.option("--set", "overrides", multiple=True, help="Another value, as an experiment: params.yaml:train.seed=8"),
    workers,
    runner,
]


def run_options(command: Any) -> Any:
    """Add the options of a run to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def run_flow(name: str, prepare: Callable[[], object] = lambda: None, **parameters: Any) -> int:
    """Run a flow, `module:name`, on the project in the working directory, and return the exit code.

    What a killed run left behind is repaired, then `prepare` is called. Prefect's server is the one at PREFECT_API_URL,
    or one that is started for this run.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # even if it was ignored before
    with guard.exclusive_run(Path()) as repairs:
        for line in repairs:
            click.echo(line)
        prepare()
        server.ensure_server(Path())
        flow = resolve_name(name)  # imports Prefect, which reads the server's address once
        with server.server_errors():
            lists = {key: list(value) if isinstance(value, tuple) else value for key, value in parameters.items()}
            result = flow(**lists, return_state=True).result(raise_on_failure=False)
    if isinstance(result, BaseException):
        raise result
    return exit_code(result)
