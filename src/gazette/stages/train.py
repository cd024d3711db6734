"""Train a candidate on the train split: its bundle, its learning curve, its score on the validation split."""

from pathlib import Path
from typing import Any

from gazette.training.export.candidate import CandidateFiles, save_candidate
from gazette.training.networks import learn
from gazette.training.networks.learn import Params


def run(
    params: Params,
    *,
    models: dict[str, Any],
    candidate: str,
    description: Path,
    train: Path,
    valid: Path,
    outs: CandidateFiles,
) -> None:
    """Raise ConfigError if the loss becomes non-finite or ONNX lacks an operation of the network."""
    corpus, (train_split, valid_split) = learn.load_splits(params, description, train, valid, max_rows=params.max_rows)
    where = f"params.yaml, section models.{candidate}"
    learned = learn.train_candidate(models[candidate], where, train_split, valid_split, params.seed)
    print(save_candidate(learned, valid_split, corpus, params, outs))
