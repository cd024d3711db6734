"""A plan as a table for a person, and as a record for a program."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from gazette.cli import tables
from gazette.pipeline.plan import Node, Step


def show_plan(steps: Sequence[Step]) -> None:
    """Print the stages that would run, wave by wave, with a line for each reason; then those that are unchanged."""
    stale = sorted((step for step in steps if step.wave is not None), key=lambda step: step.wave or 0)
    if stale:
        tables.show(tables.build_table((row for step in stale for row in _rows(step)), limits={"why": 200}), "")
    unchanged = [step.stage for step in steps if step.wave is None]
    tables.show(f"unchanged: {', '.join(unchanged) or 'nothing'}")


def _rows(step: Step) -> Iterator[dict[str, Any]]:
    seconds = "" if step.seconds is None else f"{step.seconds:.1f} s"
    row = {"wave": step.wave, "stage": step.stage, "last time": seconds}
    for reason in [*(["probably restored from cache"] if step.restorable else []), *step.why] or [""]:
        yield row | {"why": reason}
        row = dict.fromkeys(row, "")


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
