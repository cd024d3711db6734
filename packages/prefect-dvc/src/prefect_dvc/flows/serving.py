"""A project's flow served until Ctrl-C: by schedule, and by hand on the page of a Prefect server."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from prefect_dvc.core.errors import ConfigError
from prefect_dvc.environment import QUIET
from prefect_dvc.flows import server


def serve(root: Path, cron: str | None, port: int, parameters: dict[str, Any]) -> None:
    """Serve the flow of the project at `root`; in a worktree, with its results pushed, if `parameters` have a branch.

    One run at a time: a scheduled one waits for the one before. Raises ConfigError if the server does not start, the
    one at PREFECT_API_URL does not answer, or `cron` is no schedule.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    os.environ |= QUIET
    with suppress(KeyboardInterrupt), server.served(root, port) as address:
        from prefect.client.schemas.schedules import CronSchedule  # after the address is set, which Prefect reads once
        from prefect.types.entrypoint import EntrypointType

        from prefect_dvc import pipeline, retrain

        if cron:
            try:
                CronSchedule(cron=cron)
            except ValueError as error:
                raise ConfigError(f"--cron {cron!r}: expected five fields, such as '0 3 * * *'") from error
        flow = retrain if "branch" in parameters else pipeline
        click.echo(f"serving on {address.removesuffix('/api')}")
        flow.serve(
            root.name,
            cron=cron,
            parameters={"root": str(root), **parameters},
            limit=1,
            print_starting_message=False,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
    click.echo("served")
