"""Compare two `dvc.lock`s: which inputs of the stages differ, and which outputs differ for the same inputs; pure."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from gazette.pipeline import dvclock, flatten

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


def _stage_changes(before: Lock | None, after: Lock | None, outputs: dict[str, str]) -> list[str]:
    if before is None or after is None:
        return ["a new stage" if before is None else "a removed stage"]
    changes = ["the command"] if before.get("cmd") != after.get("cmd") else []
    for key, *values in flatten.diff(_params(before), _params(after)):
        changes.append(f"{key}: {' → '.join('missing' if value is None else str(value) for value in values)}")
    old, new = (_sources(stage, outputs) for stage in (before, after))
    return changes + sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))


def _params(stage: Lock) -> Lock:
    return {
        key if file == "params.yaml" else f"{file}:{key}": value
        for file, section in stage.get("params", {}).items()
        for key, value in section.items()
    }


def _sources(stage: Lock, outputs: dict[str, str]) -> dict[str, str]:
    """Return the hashes of the dependencies that are neither outputs of a stage nor folders of outputs."""
    return {
        dep["path"]: str(dep.get("md5"))
        for dep in stage.get("deps", [])
        if not any(PurePosixPath(out).is_relative_to(dep["path"]) for out in outputs)
    }
