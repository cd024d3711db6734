"""Train a student on the train split and a teacher's soft labels into a candidate."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from prefect_dvc.core.errors import parse
from pydantic import BaseModel, Field
from safetensors.numpy import load_file

from gazette.training.export.candidate import CandidateFiles, save_candidate
from gazette.training.networks import learn


class Params(BaseModel, frozen=True, extra="forbid"):
    """`teacher_weight`: the weight of the soft labels against the hard labels."""

    teacher_weight: float = Field(gt=0, le=1)


def run(
    params: Params,
    *,
    train: dict[str, Any],
    models: dict[str, Any],
    candidate: str,
    description: Path,
    train_rows: Path,
    valid_rows: Path,
    soft_labels: Path,
    outs: CandidateFiles,
) -> None:
    """Train the student, of any family of stage `train`, in the same way but on mixed targets."""
    shared = parse(learn.Params, train, "params.yaml, section train")
    corpus, (rows, valid) = learn.load_splits(shared, description, train_rows, valid_rows)
    teacher = load_file(soft_labels)
    targets = np.eye(rows.classes, dtype=np.float32)[rows.labels]
    targets[teacher["rows"]] *= 1 - params.teacher_weight
    targets[teacher["rows"]] += params.teacher_weight * teacher["probabilities"]
    where = f"params.yaml, section models.{candidate}"
    rows = replace(rows, soft_labels=targets)
    learned = learn.train_candidate(models[candidate], where, rows, valid, shared.seed)
    print(save_candidate(learned, valid, corpus, shared, outs))
