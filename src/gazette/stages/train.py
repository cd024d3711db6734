"""Turns train and valid rows into a candidate: its bundle, its learning curve, its score on the valid rows."""

from pathlib import Path
from typing import Any

from gazette import corpus, engine, learning, shipping
from gazette.learning import Params


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
    described = corpus.describe(description)
    rows = {name: learning.read(path, described.labels) for name, path in (("train", train), ("valid", valid))}
    engine.start(params.seed, params.threads, params.onednn)
    where = f"params.yaml, section models.{candidate}"
    learned = learning.learn(models[candidate], where, rows["train"], rows["valid"], len(described.labels), params.seed)
    outs = {"bundle": bundle, "curve": curve, "score": score, "fingerprint": fingerprint}
    print(shipping.ship(learned, rows["valid"], described, params, **outs))
