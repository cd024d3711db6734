"""Turns features into a candidate: an encoder as it is, with a head that learned the classes of the corpus."""

from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from gazette.core.errors import parse
from gazette.training.export import candidate as shipping
from gazette.training.networks import learn


def run(
    *,
    train: dict[str, Any],
    features: dict[str, Any],
    models: dict[str, Any],
    candidate: str,
    description: Path,
    pretrained: Path,
    extracted: Path,
    train_rows: Path,
    valid_rows: Path,
    bundle: Path,
    curve: Path,
    score: Path,
    fingerprint: Path,
) -> None:
    """`extracted` are the features of these rows, as stage `features` left them."""
    params = parse(learn.Params, train, "params.yaml, section train")
    described, (rows, valid) = learn.begin(params, description, train_rows, valid_rows)
    from gazette.training.encoders import heads

    numbers = parse(heads.Params, models[candidate], f"params.yaml, section models.{candidate}")
    found = load_file(extracted)
    learned = heads.learn(pretrained, numbers, found, features["length"], rows, valid, len(described.labels))
    outs = {"bundle": bundle, "curve": curve, "score": score, "fingerprint": fingerprint}
    print(shipping.ship(learned, valid, described, params, **outs))
