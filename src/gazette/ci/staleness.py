"""Two `dvc.lock`s: what the stages were given that differs, and what came out otherwise of the same; pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

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
    """Compares two locks as they were read; outputs only where the inputs are the same, for they follow from these."""
    if found := given(committed, made):
        return Staleness(inputs=[f"{what} ({', '.join(stages)})" for what, stages in found.items()])
    old, new = _outs(committed), _outs(made)
    return Staleness(outputs=sorted(path for path in new if old.get(path) != new[path]))


def given(before: Lock, after: Lock) -> dict[str, list[str]]:
    """What stages were given that differs, and which: a path, a param with both values, a command, or a whole stage.

    Files that a stage made are left out.
    """
    old, new = before.get("stages", {}), after.get("stages", {})
    made = _outs(before) | _outs(after)
    found: dict[str, list[str]] = {}
    for name in [*new, *(name for name in old if name not in new)]:
        for change in _changes(old.get(name), new.get(name), made):
            found.setdefault(change, []).append(name)
    return found


def _changes(before: Lock | None, after: Lock | None, made: dict[str, str]) -> list[str]:
    if before is None or after is None:
        return ["a stage that is new" if before is None else "a stage that is no more"]
    found = ["the command"] if before.get("cmd") != after.get("cmd") else []
    old, new = (dict(_params(stage)) for stage in (before, after))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            found.append(f"{key}: {old.get(key, 'not there')} → {new.get(key, 'not there')}")
    one, other = (_sources(stage, made) for stage in (before, after))
    return found + sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def _params(stage: Lock) -> Iterator[tuple[str, Any]]:
    for file, section in stage.get("params", {}).items():
        yield from leaves(section, "" if file == "params.yaml" else f"{file}:")


def leaves(section: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of nested keys, with its keys joined by dots."""
    for key, value in section.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _sources(stage: Lock, made: dict[str, str]) -> dict[str, str]:
    """Hashes of the dependencies that are neither an output of a stage nor a folder of such."""
    return {
        dep["path"]: str(dep.get("md5"))
        for dep in stage.get("deps", [])
        if not any(PurePosixPath(out).is_relative_to(dep["path"]) for out in made)
    }


def _outs(lock: Lock) -> dict[str, str]:
    stages = lock.get("stages", {}).values()
    return {out["path"]: str(out.get("md5")) for stage in stages for out in stage.get("outs", [])}
