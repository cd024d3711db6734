"""What a run would do: which stages, why, in which waves, and what they took last time. Pure; knows no DVC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field


class Hints(BaseModel):
    """What `meta: {prefect: …}` of a stage says about running it; it is not in dvc.lock, so it makes nothing stale."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retries: int = Field(0, ge=0)  # after a failure that is neither usage (2) nor broken data (3)
    retry_delay: float = Field(0, ge=0)  # seconds
    timeout: float | None = Field(None, gt=0)  # seconds
    mutex: str | None = None  # stages of one name never run at once


NONE = Hints.model_validate({})


@dataclass(frozen=True)
class Change:
    """One difference between what made a stage's outputs and what is here now."""

    kind: str  # command, dep, param or out
    name: str
    state: str  # DVC's word: new, modified, deleted, not in cache, always changed
    before: object = None
    after: object = None

    def __str__(self) -> str:
        if self.state == "modified":
            return f"{self.kind} {self.name}: {_short(self)}"
        return f"{self.kind} {self.name} is {self.state}".replace(" is always changed", " always changes")


def _short(change: Change) -> str:
    sides = (change.before, change.after)
    hashes = change.kind in ("dep", "out")
    return " → ".join(str(side)[:8] if hashes else str(side) for side in sides)


@dataclass(frozen=True)
class Node:
    """A stage as DVC sees it now, its direct upstream by name; or a data source, a `.dvc` file."""

    name: str
    upstream: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    restorable: bool = False  # the run cache has the outputs that it would make
    hints: Hints = NONE


@dataclass(frozen=True)
class Step:
    """A stage in a plan; what would run stands in the first wave in which all it waits for is done."""

    stage: str
    upstream: tuple[str, ...]
    wave: int | None  # none where nothing would run
    why: tuple[str, ...]
    stale: bool  # would run even if all upstream came out as it was
    restorable: bool
    seconds: float | None  # what it took last time
    hints: Hints


def plan(nodes: Sequence[Node], seconds: Mapping[str, float], force: bool = False) -> list[Step]:
    """The steps in the order of a serial run, which `nodes` are in; `seconds` is what each took last time."""
    waves: dict[str, int] = {}
    steps = []
    for node in nodes:
        waits_for = [name for name in node.upstream if name in waves]
        why = (*(["forced"] if force else []), *map(str, node.changes), *(f"upstream {name}" for name in waits_for))
        if why:
            waves[node.name] = 1 + max((waves[name] for name in waits_for), default=0)
        steps.append(
            Step(
                stage=node.name,
                upstream=node.upstream,
                wave=waves.get(node.name),
                why=why,
                stale=force or bool(node.changes),
                restorable=node.restorable and not waits_for and not force,
                seconds=seconds.get(node.name),
                hints=node.hints,
            )
        )
    return steps
