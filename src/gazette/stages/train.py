"""Turns train and valid rows into a candidate: its bundle, its learning curve, its score on the valid rows."""

from pathlib import Path
from typing import Any

from gazette.training.export import candidate as shipping
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
    bundle: Path,
    curve: Path,
    score: Path,
    fingerprint: Path,
) -> None:
    """Raises Misconfigured where the numbers lead nowhere: a loss that is not finite, a network that ONNX lacks."""
    described, (rows, held_out) = learn.begin(params, description, train, valid)
    where = f"params.yaml, section models.{candidate}"
    learned = learn.learn(models[candidate], where, rows, held_out, len(described.labels), params.seed)
    outs = {"bundle": bundle, "curve": curve, "score": score, "fingerprint": fingerprint}
    print(shipping.ship(learned, held_out, described, params, **outs))
