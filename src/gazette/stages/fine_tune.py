"""Fine-tune a pretrained encoder on the train split into a candidate, or learn from its vectors of single words."""

from pathlib import Path
from typing import Any

from prefect_dvc.core.errors import parse

from gazette.training.export.candidate import CandidateFiles, save_candidate
from gazette.training.networks import learn


def run(
    *,
    train: dict[str, Any],
    models: dict[str, Any],
    candidate: str,
    description: Path,
    pretrained: Path,
    train_rows: Path,
    valid_rows: Path,
    outs: CandidateFiles,
) -> None:
    """Raise ConfigError if `pretrained` is not a supported encoder or the loss becomes non-finite."""
    params = parse(learn.Params, train, "params.yaml, section train")
    corpus, (rows, valid) = learn.load_splits(params, description, train_rows, valid_rows, max_rows=params.max_rows)
    from gazette.training.encoders import fine_tuning, static

    section, where = models[candidate], f"params.yaml, section models.{candidate}"
    if section["family"] == "static":
        learned = static.train_static(pretrained, parse(static.Params, section, where), rows, valid, params.seed)
    else:
        settings = parse(fine_tuning.Params, section, where)
        learned = fine_tuning.train_fine_tuned(pretrained, settings, rows, valid, params.seed)
    print(save_candidate(learned, valid, corpus, params, outs))
