"""`python -m flows.pipeline`: bring every stage up to date through Prefect, on this machine, now."""

import sys
from typing import Any

import click
from prefect_dvc.cli import running

from gazette.__main__ import main
from gazette.cli import project


@click.command("python -m flows.pipeline")
@running.run_options
def command(**options: Any) -> None:
    """Bring every stage up to date; stages that do not depend on each other run side by side.

    Prefect's server is the one at PREFECT_API_URL, or one that is started for this run. With --runner dask the stages
    run on the cluster at DASK_SCHEDULER, or on one that is started for this run.
    """
    sys.exit(running.run_flow("flows.bridge:pipeline", project.prepare_run, **options))


if __name__ == "__main__":
    main(command)
