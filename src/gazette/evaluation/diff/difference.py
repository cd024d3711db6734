"""What two revisions differ in: data, params, code, packages, the model, its metrics, articles that flipped.

Either side may be the tree as it is here. What cannot be found out is said, with why, and the rest is compared.
"""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gazette.core.errors import Misconfigured
from gazette.evaluation.diff import changes, rows
from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import State
from gazette.registry import resolve


@dataclass(frozen=True)
class Difference:
    """From `before` to `after`, as JSON has it; the text of an article is nowhere in it.

    The sides are: asked, commit (none: the tree here), corpus, bundle, selected. `data` counts articles that came, went
    or were relabelled, and lists their places. `params` and `packages` are name, before, after; `code` is path, state,
    stages. `metrics` are the committed ones and, where both predictions are at hand, the paired ones. `flipped` lists
    change, file, line, label, before, after, and both probabilities. `unknown` has a line for each thing that could
    not be compared, `weak` one for each figure that is not what its revision's `dvc.lock` names.
    """

    before: dict[str, Any]
    after: dict[str, Any]
    data: dict[str, Any]
    params: list[dict[str, Any]]
    code: list[dict[str, Any]]
    packages: list[dict[str, Any]]
    stages: list[dict[str, Any]]
    metrics: dict[str, Any]
    flipped: list[dict[str, Any]]
    unknown: list[str]
    weak: list[str]

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def difference(a: str, b: str | None = None) -> Difference:
    """From `a` to `b`: revisions, versions (`NAME/NUMBER`, `NAME@ALIAS`) or digests; without `b`, to the tree here.

    Raises Misconfigured where one of them is unknown or was never run.
    """
    before, after = (dvclock.at(resolve.commit(asked) if asked else None) for asked in (a, b))
    with tempfile.TemporaryDirectory() as folder:
        data, no_data = _or_why("articles", lambda: rows.data(before, after, Path(folder)))
        found, no_pairs = _or_why("predictions", lambda: rows.paired(before, after, Path(folder)))
    paired, flipped = found or ({}, [])
    return Difference(
        before=_side(a, before),
        after=_side(b or dvclock.HERE, after),
        data=data or {},
        params=dvclock.differing(before.yaml("params.yaml"), after.yaml("params.yaml")),
        code=changes.code(before, after),
        packages=changes.packages(before, after),
        stages=changes.stages(before, after),
        metrics=changes.metrics(before, after) | {"paired": paired},
        flipped=flipped,
        unknown=[*no_data, *no_pairs],
        weak=[*changes.not_as_locked(before), *changes.not_as_locked(after)],
    )


def _or_why(what: str, find: Callable[[], Any]) -> tuple[Any, list[str]]:
    try:
        return find(), []
    except Misconfigured as error:
        return None, [f"{what}: {error}"]


def _side(asked: str, side: State) -> dict[str, Any]:
    return {
        "asked": asked,
        "commit": side.commit,
        "corpus": side.corpus,
        "bundle": side.bundle,
        "selected": side.record("select", "selection").get("selected"),
    }
