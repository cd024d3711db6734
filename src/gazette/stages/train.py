"""Turns train and valid rows into a candidate: its bundle, its learning curve, its score on the valid rows."""

from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, Field

from gazette import corpus, engine, learning, machine, packing, records


class Params(BaseModel, frozen=True, extra="forbid"):
    """What all candidates share; all of it changes the bytes of what is learned."""

    seed: int = Field(ge=0)
    threads: int = Field(ge=1)
    onednn: bool
    tolerance: float = Field(gt=0)
    resamples: int = Field(ge=100, le=100_000)


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

    partial = bundle.with_name(bundle.name + ".partial")
    packing.write(partial, learned.network, learned.tokenizers, described, learned.length)
    found = packing.shipped(partial, rows["valid"].texts, learned.probabilities, params.tolerance, params.threads)
    agreement: dict[str, float] = {}
    if learned.precision == "int8":
        found, agreement = packing.quantised(partial, rows["valid"].texts, found, params.threads)
    epochs = len(learned.curve)
    figures = learning.figures(rows["valid"].labels, found, params.resamples, params.seed)
    figures |= {"bytes": packing.size(partial), "epochs": epochs} | agreement
    records.write_csv(pl.DataFrame(learned.curve), curve)
    records.write(figures, score)
    records.write(machine.fingerprint(params.threads, params.onednn), fingerprint)
    packing.publish(partial, bundle)
    print(f"{candidate}: macro-F1 {figures['macro_f1']:.4f} on {len(found):,} valid rows after {epochs} epochs")
    if agreement:
        equal, largest = agreement.values()
        print(f"{candidate}: int8 gives {equal:.2%} of float32's labels, each probability within {largest:.2g}")
