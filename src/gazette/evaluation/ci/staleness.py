"""Two `dvc.lock`s: what the stages were given that differs, and what came out otherwise of the same; pure."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from gazette.pipeline import dvclock, flatten

Lock = dict[str, Any]


@dataclass(frozen=True)
class Staleness:
    """How the committed lock differs from the one that a run of the same tree made.

    `inputs`: what it was made from is not what stands beside it; another machine is no excuse. `outputs`: made from
    the same, to other bytes.
    """

    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


def compare(committed: Lock, made: Lock) -> Staleness:
    """Compares the stages of two locks; outputs only where the inputs are the same, for they follow from these."""
    if found := given(committed, made):
        return Staleness(inputs=[f"{what} ({', '.join(stages)})" for what, stages in found.items()])
    old, new = dvclock.outputs(committed), dvclock.outputs(made)
    return Staleness(outputs=sorted(path for path in new if old.get(path) != new[path]))


def given(before: Lock, after: Lock) -> dict[str, list[str]]:
    """What stages were given that differs, and which: a path, a param with both values, a command, or a whole stage.

    Files that a stage made are left out.
    """
    made = dvclock.outputs(before) | dvclock.outputs(after)
    found: dict[str, list[str]] = {}
    for name in [*after, *(name for name in before if name not in after)]:
        for change in _changes(before.get(name), after.get(name), made):
            found.setdefault(change, []).append(name)
    return found


def _changes(before: Lock | None, after: Lock | None, made: dict[str, str]) -> list[str]:
    if before is None or after is None:
        return ["a stage that is new" if before is None else "a stage that is no more"]
    found = ["the command"] if before.get("cmd") != after.get("cmd") else []
    for key, *sides in flatten.differing(_params(before), _params(after)):
        found.append(f"{key}: {' → '.join('not there' if side is None else str(side) for side in sides)}")
    one, other = (_sources(stage, made) for stage in (before, after))
    return found + sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def _params(stage: Lock) -> Lock:
    return {
        key if file == "params.yaml" else f"{file}:{key}": value
        for file, section in stage.get("params", {}).items()
        for key, value in section.items()
    }


def _sources(stage: Lock, made: dict[str, str]) -> dict[str, str]:
    """Hashes of the dependencies that are neither an output of a stage nor a folder of such."""
    return {
        dep["path"]: str(dep.get("md5"))
        for dep in stage.get("deps", [])
        if not any(PurePosixPath(out).is_relative_to(dep["path"]) for out in made)
    }
