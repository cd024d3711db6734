"""A plan as a table for a person, and as a record for a program."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from prefect_dvc.cli import terminal
from prefect_dvc.core.escape import escape
from prefect_dvc.plan import Node, Step

COLUMNS = ("wave", "stage", "last time", "why")


def show_plan(steps: Sequence[Step]) -> None:
    """Print the stages that would run, wave by wave, with a line for each reason; then those that are unchanged."""
    stale = sorted((step for step in steps if step.wave is not None), key=lambda step: step.wave or 0)
    console = terminal.open_console()
    if stale:
        table = Table(box=None, header_style="bold")
        for column in COLUMNS:
            table.add_column(column, overflow="fold")  # a long name is never cut off
        for step in stale:
            for row in _rows(step):
                table.add_row(*map(escape, row))
        console.print(table)
        console.print()
    unchanged = [step.stage for step in steps if step.wave is None]
    console.print(f"unchanged: {escape(', '.join(unchanged), 10_000) or 'nothing'}", soft_wrap=True)


def _rows(step: Step) -> Iterator[tuple[str, str, str, str]]:
    head = (str(step.wave), step.stage, "" if step.seconds is None else f"{step.seconds:.1f} s")
    for reason in [*(["probably restored from cache"] if step.restorable else []), *step.why] or [""]:
        yield (*head, reason)
        head = ("", "", "")


def plan_record(nodes: Sequence[Node], steps: Sequence[Step]) -> dict[str, Any]:
    """Return all steps for JSON, each with the old and new value of every change."""
    changes = {node.name: [asdict(change) for change in node.changes] for node in nodes}
    stages = [
        {
            "stage": step.stage,
            "state": "unchanged" if step.wave is None else "would run",
            "wave": step.wave,
            "why": step.why,
            "changes": changes[step.stage],
            "upstream": step.upstream,
            "restored": step.restorable,
            "seconds": step.seconds,
            "hints": step.hints.model_dump(exclude_defaults=True),
        }
        for step in steps
    ]
    return {"stages": stages}
