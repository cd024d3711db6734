"""The articles and predictions of two revisions, compared; from the tree, DVC's cache or its remote."""

from pathlib import Path
from typing import Any

import polars as pl
from prefect_dvc import revisions
from prefect_dvc.core.errors import ConfigError

from gazette.core import normalization, tables
from gazette.data import diff
from gazette.evaluation.diff import paired
from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import DvcLock

MAX_LISTED = 100  # articles of each kind


def article_changes(before: DvcLock, after: DvcLock, folder: Path) -> dict[str, Any]:
    """Count the validated articles that were added, removed or relabeled, and list the places of the first of each.

    Raises ConfigError if the articles of a side are not available.
    """
    hashes = [side.hash_of(side.option("validate", "raw")) for side in (before, after)]
    raw: dict[str, Any] = {"raw": {"before": hashes[0], "after": hashes[1]}}
    paths = [side.option("validate", "validated") for side in (before, after)]
    if hashes[0] == hashes[1] and before.hash_of(paths[0]) == after.hash_of(paths[1]):
        return raw | {"changes": {}}
    old, new = (normalization.add_key(_read_table(side, "validate", "validated", folder)) for side in (before, after))
    changes = diff.compare_articles(old, new).filter(pl.col("change") != "same").drop("text")
    listed = changes.group_by("change", maintain_order=True).head(MAX_LISTED).sort("change", "file", "line")
    return raw | diff.summarize_changes(old, new) | {"articles": listed.to_dicts()}


def prediction_changes(before: DvcLock, after: DvcLock, folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Compare both classifiers on the test articles that both predicted, and list the articles that flipped.

    Raises ConfigError if the predictions of a side are not available.
    """
    if before.corpus != after.corpus:
        raise ConfigError(f"{before.corpus} and {after.corpus} have no articles in common")
    old, new = (_read_predictions(side, folder) for side in (before, after))
    settings = after.stages["evaluate"]["params"]["params.yaml"]["evaluate"]
    statistics, flipped = paired.compare_predictions(old, new, settings)
    return statistics | {"flipped": flipped.height}, flipped.head(MAX_LISTED).to_dicts()


def _read_predictions(side: DvcLock, folder: Path) -> pl.DataFrame:
    """Return the predictions with the key of each article; `evaluate` keeps the order of the test rows."""
    predictions, test = (_read_table(side, "evaluate", option, folder) for option in ("predictions", "test"))
    keys = normalization.add_key(test).select("key")
    if keys.height != predictions.height:
        raise ConfigError(f"{predictions.height:,} predictions for {keys.height:,} test rows: they are of two runs")
    return predictions.hstack(keys)


def _read_table(side: DvcLock, stage: str, option: str, folder: Path) -> pl.DataFrame:
    path = side.option(stage, option)
    if path is None:
        raise ConfigError(f"dvc.lock of {side.commit or dvclock.WORKING_TREE} has no {stage} with --{option}")
    if side.commit is None:
        if not Path(path).exists():
            raise ConfigError(f"{path} does not exist: `gazette run` makes it, `dvc checkout` restores it")
        return tables.read_parquet(path)
    cached = revisions.cache_path(side.hash_of(path) or "")
    if cached is None:
        cached = folder / f"{side.commit}-{Path(path).name}"
        revisions.fetch_file(side.commit, path, cached)
    return tables.read_parquet(cached)
