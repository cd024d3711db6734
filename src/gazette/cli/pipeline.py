"""The commands that run the stages and show what came out."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from gazette.cli import project
from gazette.core.errors import BrokenContract


@click.command()
@click.option("--unguarded", is_flag=True, hidden=True)  # what the guarded one starts
def run(unguarded: bool) -> None:
    """Bring every stage up to date (`dvc repro`), write the report, and show what came out.

    What an earlier run left behind when it was killed is put right first, as `gazette doctor` does.
    """
    numbers = project.params()
    if unguarded:
        return bring_up(numbers)
    from gazette.pipeline.recovery import guard

    with guard.held(Path()) as deeds:
        for deed in deeds:
            click.echo(deed)
        code = guard.run([sys.executable, "-m", "gazette", "run", "--unguarded"], Path())
    sys.exit(code)


def bring_up(numbers: dict[str, Any]) -> None:
    """Brings every stage up to date in this process."""
    from gazette.cli import run_summary
    from gazette.evaluation.diff import changes
    from gazette.evaluation.report import page
    from gazette.pipeline import cmdline, graph

    paths = cmdline.paths(numbers)
    project.renew_receipt()
    outcome = graph.reproduce()
    if outcome.code == BrokenContract.code and Path(paths["validate"]["report"]).exists():
        outcome = replace(outcome, message=f"{outcome.message}\nThe report says more: {page.write(paths, numbers)}")
    if outcome.code:
        click.echo(outcome.message, err=True)
        sys.exit(outcome.code)
    run_summary.show(outcome.states, paths, page.write(paths, numbers), changes.outputs())


@click.command()
def report() -> None:
    """Write the report, one HTML page that stands alone, from what the stages left."""
    from gazette.evaluation.report import page
    from gazette.pipeline import cmdline

    click.echo(page.write(cmdline.paths(project.params()), project.params()))


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
    from gazette.cli import plan_table
    from gazette.pipeline import graph, state
    from gazette.pipeline.plan import plan

    nodes = graph.read(Path(), targets)
    steps = plan(nodes, state.seconds(Path()), force)
    click.echo(plan_table.as_json(nodes, steps) if as_json else plan_table.as_text(steps), nl=as_json)


@click.command()
@click.option("--verify", is_flag=True, help="Hash DVC's cache again; ends with 3 where an object is damaged.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: healed, warnings, damaged.")
def doctor(verify: bool, as_json: bool) -> None:
    """Put right what a killed run left behind, say what was done, and warn of what lets damage through.

    \b
    Examples:
      gazette doctor
      gazette doctor --verify --json
    """
    from gazette.pipeline.recovery import cache, guard

    with guard.held(Path()) as healed:
        warnings = cache.warnings(Path())
    damaged = cache.damaged(Path()) if verify else []
    if as_json:
        found = {"healed": healed, "warnings": warnings, "damaged": [asdict(damage) for damage in damaged]}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        lines = [*(healed or ["nothing to heal"]), *(f"warning: {warning}" for warning in warnings)]
        for damage in damaged:
            lines += [f"damaged: {damage.file}", *(f"  of {owner}" for owner in damage.belongs_to), f"  {damage.cure}"]
        click.echo("\n".join([*lines, *(["the cache is sound"] if verify and not damaged else [])]))
    if damaged:
        sys.exit(BrokenContract.code)
