"""`python -m flows.pipeline`: bring every stage up to date through Prefect, on this machine, now."""

import signal
import sys
from pathlib import Path
from typing import Any

import click

from flows import server
from gazette.__main__ import main
from gazette.cli import project
from gazette.pipeline.execution.scheduler import exit_code
from gazette.pipeline.recovery import guard


@click.command("python -m flows.pipeline")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Stages that run at once.")
@click.option("--force", is_flag=True, help="Run every stage, changed or not.")
@click.option("--keep-going", is_flag=True, help="After a failure, run what does not depend on it.")
@click.option("--target", "targets", multiple=True, help="Only this stage and its upstream.")
@click.option("--set", "overrides", multiple=True, help="Another value, as an experiment: params.yaml:train.seed=8")
@click.option("--runner", default="processes", show_default=True, type=click.Choice(["processes", "dask"]))
def command(
    workers: int, force: bool, keep_going: bool, targets: tuple[str, ...], overrides: tuple[str, ...], runner: str
) -> None:
    """Bring every stage up to date; stages that do not depend on each other run side by side.

    Prefect's server is the one at PREFECT_API_URL, or one that is started for this run. With --runner dask the stages
    run on the cluster at DASK_SCHEDULER, or on one that is started for this run.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # even if it was ignored before
    with guard.exclusive_run(Path()) as repairs:
        for line in repairs:
            click.echo(line)
        project.renew_receipt()
        server.ensure_server(Path())
        from flows.bridge import pipeline

        with server.server_errors():
            state = pipeline(
                targets=list(targets),
                force=force,
                keep_going=keep_going,
                overrides=list(overrides),
                workers=workers,
                runner=runner,
                return_state=True,
            )
            result: Any = state.result(raise_on_failure=False)
    if isinstance(result, BaseException):
        raise result
    sys.exit(exit_code(result))


if __name__ == "__main__":
    main(command)
