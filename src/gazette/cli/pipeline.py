"""The commands that run the stages and report on them."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from prefect_dvc.core.errors import DataContractError

from gazette.cli import options, project, streams


@click.command()
@click.option("--unguarded", is_flag=True, hidden=True)  # the process that the guarded one starts
def run(unguarded: bool) -> None:
    """Bring every stage up to date, write the report and print a summary.

    Runs `dvc repro`. If an earlier run was killed, what it left behind is repaired first, as by `gazette doctor`.
    """
    if unguarded or not project.PARAMS.is_file():
        return run_stages(project.params())
    from prefect_dvc.recovery import guard

    with guard.exclusive_run(Path()) as repairs:
        for repair in repairs:
            click.echo(repair)
        code = guard.run_command([sys.executable, "-m", "gazette", "run", "--unguarded"], Path())
    sys.exit(code)


def run_stages(numbers: dict[str, Any]) -> None:
    """Bring every stage up to date in this process."""
    from prefect_dvc import state

    from gazette.cli import run_summary
    from gazette.evaluation.diff import changes
    from gazette.pipeline import cmdline, repro

    project.prepare_run()
    paths = cmdline.stage_paths(numbers)
    result = repro.reproduce()
    if result.seconds:
        state.record_seconds(Path(), result.seconds)
    if result.code == DataContractError.code and Path(paths["validate"]["report"]).exists():
        page = _write_report(paths, numbers, bool(result.seconds))
        result = replace(result, message=f"{result.message}\nThe report has details: {page}")
    if result.code:
        streams.echo_error(result.message)
        sys.exit(result.code)
    page = _write_report(paths, numbers, bool(result.seconds))
    run_summary.show_summary(result.states, paths, page, changes.changed_outputs())


def _write_report(paths: dict[str, dict[str, str]], numbers: dict[str, Any], changed: bool) -> Path:
    """Write the report, unless nothing changed since it was written, and return its path."""
    from gazette.evaluation.report import freshness

    path = freshness.report_path(paths)
    if changed or not freshness.is_fresh(path, paths):
        from gazette.evaluation.report import page  # imports polars and charts, which take seconds

        page.write_report(paths, numbers)
    return path


@click.command()
def report() -> None:
    """Write the report, one self-contained HTML page, from what the stages produced."""
    from gazette.evaluation.report import page
    from gazette.pipeline import cmdline

    click.echo(page.write_report(cmdline.stage_paths(project.params()), project.params()))


@click.command()
@click.argument("targets", nargs=-1)
@click.option("--force", is_flag=True, help="Plan as if everything had changed.")
@options.as_json("Print one JSON object, with the old and new value of every change.")
def plan(targets: tuple[str, ...], force: bool, as_json: bool) -> None:
    """Show which stages would run, in which waves, why, and how long each took last time.

    Runs nothing. Without TARGETS, plans all stages.

    \b
    Examples:
      gazette plan
      gazette plan train@cnn --json
    """
    from prefect_dvc import git, graph, state
    from prefect_dvc.cli import plan_table
    from prefect_dvc.plan import plan

    from gazette.pipeline import cmdline

    git.output("rev-parse", "HEAD")  # raises if git refuses the repository
    if cmdline.PARAMS.exists():
        project.check_params(project.params())  # DVC names neither line nor key of what is wrong in it
    nodes = graph.read_graph(Path(), targets)
    steps = plan(nodes, state.read_seconds(Path()), force)
    if as_json:
        project.echo_json(plan_table.plan_record(nodes, steps))
    else:
        plan_table.show_plan(steps)


@click.command(cls=project.RootCommand)
@click.option("--verify", is_flag=True, help="Also hash every object of DVC's cache; exit with 3 if one is damaged.")
@options.as_json("Print one JSON object with healed, warnings and damaged.")
@click.pass_obj
def doctor(ignored: list[str] | None, verify: bool, as_json: bool) -> None:
    """Repair what a killed run left behind, and warn of settings that hide damage.

    \b
    Examples:
      gazette doctor
      gazette doctor --verify --json
    """
    from prefect_dvc.cli.examination import examine

    from gazette.registry.store import address

    examination = examine(Path(), verify)
    warnings = [*examination.warnings, *address.list_warnings()]
    warnings += [f"{name} is set, without effect; docs/environment.md lists what passes" for name in ignored or []]
    examination = replace(examination, warnings=warnings)
    if as_json:
        project.echo_json(examination.record())
    else:
        click.echo(examination)
    if examination.damaged:
        sys.exit(DataContractError.code)


@click.command(cls=project.RootCommand)
def clean() -> None:
    """Remove the outputs of stages, which DVC's cache keeps, and local state that a run makes again.

    An output that is not as recorded ends it with 2, and nothing is removed. Corpora, the registry, DVC's cache and the
    studies of `gazette tune` stay.

    Example: gazette clean
    """
    from gazette.pipeline import clean as cleaning

    click.echo("\n".join(f"removed {path}" for path in cleaning.clean(Path())) or "nothing to remove")
