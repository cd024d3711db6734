"""The differences between two revisions: data, params, code, packages, the model, its metrics, flipped articles.

Either side may be the tree here. What cannot be determined is listed with the reason, and the rest is compared.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect_dvc.core.errors import ConfigError

from gazette.evaluation.diff import changes, rows
from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import DvcLock
from gazette.registry import resolve


@dataclass(frozen=True)
class RevisionDiff:
    """The differences from `before` to `after`, as in JSON; it contains no text of an article.

    The sides have: revision, commit (None: the tree here), corpus, bundle, selected. `data` counts the articles that
    were added, removed or relabeled, and lists their places. `params` and `packages` have name, before, after; `code`
    has path, from (for a rename), state, stages. `metrics` are the committed ones and, if both predictions are
    available, the paired ones. `flipped` lists change, file, line, label, before, after, and both probabilities.
    `unknown` has a line for each thing that could not be compared, `weak` one for each metric that differs from its
    revision's `dvc.lock`.
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


def diff_revisions(a: str, b: str | None = None) -> RevisionDiff:
    """Compare `a` with `b`: revisions, versions (`NAME/NUMBER`, `NAME@ALIAS`) or digests; without `b`, the tree here.

    Raises ConfigError if one of them is unknown, was never run, or was recorded by an earlier version of Gazette.
    """
    commits = (None if side is None else resolve.resolve_commit(side) for side in (a, b))
    before, after = (dvclock.load(commit).without_left_overs() for commit in commits)
    with tempfile.TemporaryDirectory() as folder:
        data, no_data = _try("articles", lambda: rows.article_changes(before, after, Path(folder)))
        predictions, no_pairs = _try("predictions", lambda: rows.prediction_changes(before, after, Path(folder)))
    paired, flipped = predictions or ({}, [])
    return RevisionDiff(
        before=_side(a, before),
        after=_side(b or dvclock.WORKING_TREE, after),
        data=data or {},
        params=dvclock.diff_values(before.params(), after.params()),
        code=changes.code_changes(before, after),
        packages=changes.package_changes(before, after),
        stages=changes.stage_changes(before, after),
        metrics=changes.metric_changes(before, after) | {"paired": paired},
        flipped=flipped,
        unknown=[*no_data, *no_pairs],
        weak=[*changes.list_unlocked_metrics(before), *changes.list_unlocked_metrics(after)],
    )


def _try(what: str, compare: Callable[[], Any]) -> tuple[Any, list[str]]:
    """Return the result of a comparison, or None and the reason why there is none."""
    try:
        return compare(), []
    except ConfigError as error:
        return None, [f"{what}: {error}"]


def _side(revision: str, side: DvcLock) -> dict[str, Any]:
    return {
        "revision": revision,
        "commit": side.commit,
        "corpus": side.corpus,
        "bundle": side.bundle,
        "selected": side.record("select", "selection").get("selected"),
    }
