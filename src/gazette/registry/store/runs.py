"""What is logged of a run: candidates, metrics, and the splits as datasets, so that MLflow shows what a figure is of.

Only name, hash and number of rows of a split are logged, never a text.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

CONTEXTS = {"train": "training", "valid": "validation", "test": "testing"}


@dataclass(frozen=True)
class Split:
    """A split: its file, and the MD5 that dvc.lock has for it; the rows, if they are known."""

    name: str
    path: str
    md5: str
    rows: int | None = None

    def dataset(self) -> Dataset:
        """Return it as MLflow's entity, whose digest is the one by which DVC has the file."""
        source = json.dumps({"tags": {"dvc.path": self.path, "dvc.md5": self.md5}}, sort_keys=True)
        profile = json.dumps({"num_rows": self.rows}) if self.rows is not None else None
        return Dataset(self.name, self.md5, source_type="code", source=source, profile=profile)


@dataclass(frozen=True)
class Candidate:
    """What is logged of a candidate: its params, its learning curve (a dict per epoch), its score."""

    name: str
    params: dict[str, Any]
    curve: list[dict[str, float]]
    score: dict[str, float]


@dataclass(frozen=True)
class Run:
    """What is logged of a run: its candidates, the metrics of the selected one, tags, artifacts and examples.

    `splits` are what candidates were trained and scored on, and the metrics are of split `test`.
    """

    experiment: str
    name: str
    candidates: list[Candidate]
    metrics: dict[str, float]
    tags: dict[str, str]
    files: list[Path]
    examples: list[str]
    splits: list[Split] = field(default_factory=list)


def log_inputs(run: str, splits: list[Split]) -> None:
    """Log splits as inputs of a run."""
    inputs = [
        DatasetInput(split.dataset(), [InputTag(MLFLOW_DATASET_CONTEXT, CONTEXTS[split.name])]) for split in splits
    ]
    if inputs:
        mlflow.MlflowClient().log_inputs(run, inputs)
