"""The articles and the predictions of two revisions, compared; from the tree, DVC's cache or its remote."""

from pathlib import Path
from typing import Any

import polars as pl

from gazette.core import normalization
from gazette.core.errors import Misconfigured
from gazette.data import diff
from gazette.evaluation.diff import paired as judged
from gazette.pipeline import revisions
from gazette.pipeline.dvclock import State

LISTED = 100  # articles that are listed of each kind
JUDGED = {"resamples": 2000, "seed": 7, "confidence": 0.95}  # where a lock of old has no numbers of `evaluate`


def data(before: State, after: State, box: Path) -> dict[str, Any]:
    """How many valid articles came, went or were relabelled, and the places of the first of each.

    Raises Misconfigured where one side is not at hand.
    """
    hashes = [side.hash_of(side.option("validate", "raw")) for side in (before, after)]
    found: dict[str, Any] = {"raw": {"before": hashes[0], "after": hashes[1]}}
    paths = [side.option("validate", "valid_articles") for side in (before, after)]
    if hashes[0] == hashes[1] and before.hash_of(paths[0]) == after.hash_of(paths[1]):
        return found | {"changes": {}}
    one, two = (normalization.with_key(_table(side, "validate", "valid_articles", box)) for side in (before, after))
    changes = diff.compare(one, two).filter(pl.col("change") != "same").drop("text")
    listed = changes.group_by("change", maintain_order=True).head(LISTED).sort("change", "file", "line")
    return found | diff.figures(one, two) | {"articles": listed.to_dicts()}


def paired(before: State, after: State, box: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Both classifiers on the test articles that both were judged on, and those that they call otherwise.

    Raises Misconfigured where the predictions of one side are not at hand.
    """
    if before.corpus != after.corpus:
        raise Misconfigured(f"{before.corpus} and {after.corpus} have no articles in common")
    one, two = (_judged(side, box) for side in (before, after))
    numbers = after.stages.get("evaluate", {}).get("params", {}).get("params.yaml", {}).get("evaluate", {})
    figures, flipped = judged.paired(one, two, JUDGED | numbers)
    return figures | {"flipped": flipped.height}, flipped.head(LISTED).to_dicts()


def _judged(side: State, box: Path) -> pl.DataFrame:
    """The predictions with the key of each article: `evaluate` leaves them in the order of the test rows."""
    tables = [_table(side, "evaluate", option, box) for option in ("predictions", "test")]
    keys = normalization.with_key(tables[1]).select("key")
    if keys.height != tables[0].height:
        raise Misconfigured(f"{tables[0].height:,} predictions for {keys.height:,} test rows: they are of two runs")
    return tables[0].hstack(keys)


def _table(side: State, stage: str, option: str, box: Path) -> pl.DataFrame:
    path = side.option(stage, option)
    if path is None:
        raise Misconfigured(f"dvc.lock of {side.commit or 'the tree here'} has no {stage} with --{option}")
    if side.commit is None:
        if not Path(path).exists():
            raise Misconfigured(f"{path} is not here: `gazette run` makes it, `dvc checkout` brings it")
        return pl.read_parquet(path)
    kept = revisions.cached(side.hash_of(path) or "")
    if kept is None:
        kept = box / f"{side.commit}-{Path(path).name}"
        revisions.fetch(side.commit, path, kept)
    return pl.read_parquet(kept)
