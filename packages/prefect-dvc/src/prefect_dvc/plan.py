"""What a run would do: which stages, why, in which waves, and how long they took last time. Pure; does not use DVC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, Field


class Hints(BaseModel, frozen=True, extra="forbid"):
    """How to run a stage, from its `meta: {prefect: …}`; it is not in dvc.lock, so it makes nothing stale."""

    retries: int = Field(default=0, ge=0)  # after a failure that is neither usage (2) nor broken data (3)
    retry_delay: float = Field(default=0, ge=0)  # seconds
    timeout: float | None = Field(default=None, gt=0)  # seconds
    mutex: str | None = None  # stages with the same mutex never run at once


@dataclass(frozen=True)
class Change:
    """A difference between what made a stage's outputs and what is in the tree now."""

    kind: str  # command, dep, param or out
    name: str
    state: str  # DVC's word: new, modified, deleted, not in cache, always changed
    before: object = None
    after: object = None

    def __str__(self) -> str:
        if self.state == "modified":
            length = 8 if self.kind in ("dep", "out") else None  # of a hash
            return f"{self.kind} {self.name}: {str(self.before)[:length]} → {str(self.after)[:length]}"
        return f"{self.kind} {self.name} is {self.state}".replace(" is always changed", " always changes")


@dataclass(frozen=True)
class Node:
    """A stage as DVC sees it now, its direct upstream by name; or a data source, a `.dvc` file."""

    name: str
    upstream: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    restorable: bool = False  # the run cache has its outputs
    hints: Hints = field(default_factory=Hints)


@dataclass(frozen=True)
class Step:
    """A stage in a plan; it is in the first wave in which everything it waits for is done."""

    stage: str
    upstream: tuple[str, ...]
    wave: int | None  # None if it would not run
    why: tuple[str, ...]
    stale: bool  # would run even if all upstream outputs stayed the same
    restorable: bool
    seconds: float | None  # how long it took last time
    hints: Hints


def plan(nodes: Sequence[Node], seconds: Mapping[str, float], force: bool = False) -> list[Step]:
    """Return the steps in the order of a serial run, which `nodes` are in; `seconds` is how long each took last."""
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
