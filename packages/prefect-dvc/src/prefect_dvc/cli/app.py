"""The commands of `prefect-dvc`; each works on the DVC project in the working directory."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from prefect_dvc import __version__
from prefect_dvc.cli import plan_table, running
from prefect_dvc.core.errors import DataContractError

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group("prefect-dvc", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="prefect-dvc")
def prefect_dvc() -> None:
    """Run DVC's graph as a Prefect flow: stages side by side, retried, scheduled, healed after a kill.

    Exit codes: 0 fine, 2 usage or configuration, 70 a bug of this program, otherwise that of the stage that failed.
    """


@prefect_dvc.command()
@running.run_options
def run(**options: Any) -> None:
    """Bring every stage up to date; stages that do not depend on each other run side by side.

    Prefect's server is the one at PREFECT_API_URL, or one that is started for this run.

    \b
    Examples:
      prefect-dvc run
      prefect-dvc run --workers 4 --target train
      prefect-dvc run --set params.yaml:train.seed=8
    """
    sys.exit(running.run_flow("prefect_dvc.flows.flow:pipeline", **options))


@prefect_dvc.command()
@click.argument("targets", nargs=-1)
@click.option("--force", is_flag=True, help="Plan as if everything had changed.")
@as_json
def plan(targets: tuple[str, ...], force: bool, as_json: bool) -> None:
    """Show which stages would run, in which waves, why, and how long each took last time.

    Runs nothing. Without TARGETS, plans all stages.

    \b
    Examples:
      prefect-dvc plan
      prefect-dvc plan train --json
    """
    from prefect_dvc import graph, state
    from prefect_dvc.plan import plan

    nodes = graph.read_graph(Path(), targets)
    steps = plan(nodes, state.read_seconds(Path()), force)
    if as_json:
        click.echo(json.dumps(plan_table.plan_record(nodes, steps), indent=2, ensure_ascii=False, default=str))
    else:
        plan_table.show_plan(steps)


@prefect_dvc.command()
@click.option("--verify", is_flag=True, help="Also hash every object of DVC's cache; exit with 3 if one is damaged.")
@as_json
def doctor(verify: bool, as_json: bool) -> None:
    """Repair what a killed run left behind, and warn of settings that hide damage.

    \b
    Examples:
      prefect-dvc doctor
      prefect-dvc doctor --verify --json
    """
    from prefect_dvc.cli.examination import examine

    examination = examine(Path(), verify)
    click.echo(json.dumps(examination.record(), indent=2) if as_json else examination)
    if examination.damaged:
        sys.exit(DataContractError.code)


@prefect_dvc.command()
@click.option("--cron", metavar="SCHEDULE", help="When to run, such as '0 3 * * *' (UTC).  [default: only by hand]")
@click.option("--branch", help="Run at this branch's head, in a worktree, and push the results.  [default: run here]")
@click.option("--remote", default="", help="The git remote of the branch.  [default: origin, or this repository]")
@click.option("--prepare", multiple=True, help="A command that brings raw data which no remote has.")
@click.option("--port", default=4200, show_default=True, type=click.IntRange(1, 65535), help="Of Prefect's server.")
@running.workers
@running.runner
def serve(cron: str | None, branch: str | None, remote: str, prepare: tuple[str, ...], port: int, **how: Any) -> None:
    """Serve the project's flow, as scheduled and by hand on Prefect's page, until Ctrl-C.

    Prefect's server is the one at PREFECT_API_URL, or one that is started here.

    \b
    Examples:
      prefect-dvc serve
      prefect-dvc serve --cron '0 3 * * *' --branch main
    """
    from prefect_dvc.flows import serving
    from prefect_dvc.publishing import worktree

    if branch is None and (remote or prepare):
        raise click.UsageError("--remote and --prepare belong to a --branch, whose results are pushed")
    if branch:
        worktree.find_head(Path(), branch, remote)  # raises ConfigError now, not at the first run
    published = {"branch": branch, "remote": remote, "prepare": list(prepare)} if branch else {}
    serving.serve(Path().absolute(), cron, port, {**published, **how})
