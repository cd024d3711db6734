"""Turns an encoder and train and valid rows into a candidate: the encoder learns the classes of the corpus."""

from pathlib import Path
from typing import Any

from gazette.core.errors import parse
from gazette.training.export import candidate as shipping
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
    bundle: Path,
    curve: Path,
    score: Path,
    fingerprint: Path,
) -> None:
    """Raises Misconfigured where `pretrained` holds no encoder, or the numbers lead to a loss that is not finite."""
    params = parse(learn.Params, train, "params.yaml, section train")
    described, (rows, valid) = learn.begin(params, description, train_rows, valid_rows)
    from gazette.training.encoders import fine_tuning

    numbers = parse(fine_tuning.Params, models[candidate], f"params.yaml, section models.{candidate}")
    learned = fine_tuning.learn(pretrained, numbers, rows, valid, len(described.labels), params.seed)
    outs = {"bundle": bundle, "curve": curve, "score": score, "fingerprint": fingerprint}
    print(shipping.ship(learned, valid, described, params, **outs))
