"""Compare two `dvc.lock`s: which inputs of the stages differ, and which outputs differ for the same inputs; pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from gazette.pipeline import dvclock

Lock = dict[str, Any]


@dataclass(frozen=True)
class Staleness:
    """How the committed lock differs from the lock that a run of the same tree writes.

    `inputs`: it was made from other inputs than those committed beside it, which another machine does not explain.
    `outputs`: other bytes from the same inputs, which it may explain.
    """

    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


def compare_locks(committed: Lock, rerun: Lock) -> Staleness:
    """Compare the stages of two locks; outputs only if the inputs are the same, since they follow from these."""
    if changes := changed_inputs(committed, rerun):
        return Staleness(inputs=[f"{change} ({', '.join(stages)})" for change, stages in changes.items()])
    old, new = dvclock.list_outputs(committed), dvclock.list_outputs(rerun)
    return Staleness(outputs=sorted(path for path in new if old.get(path) != new[path]))


def changed_inputs(before: Lock, after: Lock) -> dict[str, list[str]]:
    """Return each changed input with the stages it changed for: a path, a param with both values, or a command.

    Outputs of stages are left out.
    """
    outputs = dvclock.list_outputs(before) | dvclock.list_outputs(after)
    changes: dict[str, list[str]] = {}
    for name in [*after, *(name for name in before if name not in after)]:
        for change in _stage_changes(before.get(name), after.get(name), outputs):
            changes.setdefault(change, []).append(name)
    return changes


def _stage_changes(before: Lock | None, after: Lock | None, outputs: dict[str, str]) -> Iterator[str]:
    if before is None or after is None:
        yield "a new stage" if before is None else "a removed stage"
        return
    for change in dvclock.diff_stages(before, after):
        if change.kind == "command":
            yield "the command"
        elif change.kind == "param":
            old, new = ("missing" if value is None else value for value in (change.before, change.after))
            yield f"{change.name}: {old} → {new}"
        elif change.kind == "dependency" and not any(PurePosixPath(out).is_relative_to(change.name) for out in outputs):
            yield change.name
