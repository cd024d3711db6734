"""The commands that run the stages and show what came out."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from gazette.cli import project
from gazette.errors import BrokenContract


@click.command()
def run() -> None:
    """Bring every stage up to date (`dvc repro`), write the report, and show what came out."""
    from gazette import graph, registration, report, summary, wiring

    numbers = project.params()
    paths = wiring.paths(numbers)
    if not registration.is_current(Path(paths["register"]["version"])):
        Path(paths["register"]["receipt"]).unlink(missing_ok=True)  # then `register` runs, for this registry
    outcome = graph.reproduce()
    if outcome.code == BrokenContract.code and Path(paths["validate"]["report"]).exists():
        outcome = replace(outcome, message=f"{outcome.message}\nThe report says more: {report.write(paths, numbers)}")
    if outcome.code:
        click.echo(outcome.message, err=True)
        sys.exit(outcome.code)
    summary.show(outcome.states, paths, report.write(paths, numbers), graph.changed_outputs())


@click.command()
def report() -> None:
    """Write the report, one HTML page that stands alone, from what the stages left."""
    from gazette import report, wiring

    click.echo(report.write(wiring.paths(project.params()), project.params()))


@click.command()
@click.argument("targets", nargs=-1)
@click.option("--force", is_flag=True, help="As if everything had changed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with every change from what to what.")
def plan(targets: tuple[str, ...], force: bool, as_json: bool) -> None:
    """Show what would run for TARGETS, or for all: in which waves, why, and what it took last time. Runs nothing.

    \b
    Examples:
      gazette plan
      gazette plan train@cnn --json
    """
    from gazette import graph, notes, planned
    from gazette.plan import plan

    nodes = graph.read(Path(), targets)
    steps = plan(nodes, notes.seconds(Path()), force)
    click.echo(planned.as_json(nodes, steps) if as_json else planned.as_text(steps), nl=as_json)
