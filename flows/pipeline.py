"""`python -m flows.pipeline`: brings every stage up to date through Prefect, here and now."""

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
@click.option("--target", "targets", multiple=True, help="Only this stage and what is upstream of it.")
@click.option("--set", "overrides", multiple=True, help="Another number, as an experiment: params.yaml:train.seed=8")
@click.option("--runner", default="processes", show_default=True, type=click.Choice(["processes", "dask"]))
def command(
    workers: int, force: bool, keep_going: bool, targets: tuple[str, ...], overrides: tuple[str, ...], runner: str
) -> None:
    """Bring every stage up to date: what does not depend on each other at once, the rest in turn.

    Prefect's server is the one at PREFECT_API_URL, or one for as long as this takes. With --runner dask the stages go
    to the cluster at DASK_SCHEDULER, or to one made here.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # not ignored, whoever ignored it before
    with guard.held(Path()) as deeds:
        for deed in deeds:
            click.echo(deed)
        project.renew_receipt()
        server.at_hand(Path())
        from flows.bridge import pipeline

        state = pipeline(
            targets=list(targets),
            force=force,
            keep_going=keep_going,
            overrides=list(overrides),
            workers=workers,
            runner=runner,
            return_state=True,
        )
    found: Any = state.result(raise_on_failure=False)
    if isinstance(found, BaseException):
        raise found
    sys.exit(exit_code(found))


if __name__ == "__main__":
    main(command)
