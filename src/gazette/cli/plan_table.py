"""A plan as a table for a person, and as JSON for a program."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from gazette.pipeline.plan import Node, Step


def as_text(steps: Sequence[Step]) -> str:
    """What would run, wave by wave, a line for each reason; then what is unchanged."""
    stale = [step for step in steps if step.wave is not None]
    table = Table("wave", "stage", "last time", "why", box=None, header_style="bold")
    for step in sorted(stale, key=lambda step: step.wave or 0):
        took = "" if step.seconds is None else f"{step.seconds:.1f} s"
        restored = ["restored from cache, as it seems"] if step.restorable else []
        table.add_row(str(step.wave), step.stage, took, "\n".join([*restored, *step.why]))
    console = Console(highlight=False, markup=False)
    with console.capture() as said:
        if stale:
            console.print(table, "", sep="\n")
        unchanged = [step.stage for step in steps if step.wave is None]
        console.print(f"unchanged: {', '.join(unchanged) or 'nothing'}", soft_wrap=True)
    return said.get()


def as_json(nodes: Sequence[Node], steps: Sequence[Step]) -> str:
    """Every step with what `as_text` says of it and more: each change with what it was and what it is."""
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
    return json.dumps({"stages": stages}, ensure_ascii=False, indent=2, default=str)
