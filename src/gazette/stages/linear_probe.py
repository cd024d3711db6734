"""Train a linear probe on the features of a frozen encoder into a candidate."""

from pathlib import Path
from typing import Any

from prefect_dvc.core.errors import parse
from safetensors.numpy import load_file

from gazette.training.export.candidate import CandidateFiles, save_candidate
from gazette.training.networks import learn


def run(
    *,
    train: dict[str, Any],
    extract_features: dict[str, Any],
    models: dict[str, Any],
    candidate: str,
    description: Path,
    pretrained: Path,
    features: Path,
    train_rows: Path,
    valid_rows: Path,
    outs: CandidateFiles,
) -> None:
    """Train on `features`, which stage `extract_features` computed for these rows."""
    params = parse(learn.Params, train, "params.yaml, section train")
    corpus, (rows, valid) = learn.load_splits(params, description, train_rows, valid_rows)
    from gazette.training.encoders import heads

    settings = parse(heads.Params, models[candidate], f"params.yaml, section models.{candidate}")
    length = extract_features["max_length"]
    learned = heads.train_probe(pretrained, settings, load_file(features), length, rows, valid)
    print(save_candidate(learned, valid, corpus, params, outs))
