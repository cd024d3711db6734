"""Turns train rows and what a teacher says of them into a candidate, the student."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, Field
from safetensors.numpy import load_file

from gazette.core.errors import parse
from gazette.training.export import candidate as shipping
from gazette.training.networks import learn


class Params(BaseModel, frozen=True, extra="forbid"):
    """`trust`: the teacher's share in what is learned of a row that it was asked about; the rest is the label's."""

    trust: float = Field(gt=0, le=1)


def run(
    params: Params,
    *,
    train: dict[str, Any],
    models: dict[str, Any],
    candidate: str,
    description: Path,
    train_rows: Path,
    valid_rows: Path,
    taught: Path,
    bundle: Path,
    curve: Path,
    score: Path,
    fingerprint: Path,
) -> None:
    """The student is of any family that `train` knows, and learns as it does there, but for its targets."""
    numbers = parse(learn.Params, train, "params.yaml, section train")
    described, (rows, valid) = learn.begin(numbers, description, train_rows, valid_rows)
    found = load_file(taught)
    targets = np.eye(len(described.labels), dtype=np.float32)[rows.labels]
    targets[found["rows"]] *= 1 - params.trust
    targets[found["rows"]] += params.trust * found["probabilities"]
    where = f"params.yaml, section models.{candidate}"
    pupil = replace(rows, targets=targets)
    learned = learn.learn(models[candidate], where, pupil, valid, len(described.labels), numbers.seed)
    outs = {"bundle": bundle, "curve": curve, "score": score, "fingerprint": fingerprint}
    print(shipping.ship(learned, valid, described, numbers, **outs))
