"""Turns train and valid rows into a candidate: its bundle, its learning curve, its score on the valid rows."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, Field

from gazette import articles, corpus, engine, machine, packing, records, scoring, tokenizing
from gazette.errors import parse


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
    engine.start(params.seed, params.threads, params.onednn)
    from gazette import networks
    from gazette.networks import fitting

    family = networks.family(models[candidate]["family"])
    numbers = parse(family.Params, models[candidate], f"params.yaml, section models.{candidate}")
    described = corpus.describe(description)
    tables = {"train": articles.read(train), "valid": articles.read(valid)}
    texts = {split: table["text"].to_list() for split, table in tables.items()}
    tokenizer = tokenizing.learn(texts["train"], numbers.tokens, numbers.vocabulary, numbers.min_count)
    length = tokenizing.limit(tokenizer, texts["train"], numbers.length_quantile, numbers.length_cap)
    tokens = tokenizing.tokens(tokenizer)
    rows = {
        split: fitting.Rows(
            tokenizing.encode(tokenizer, texts[split]), _numbered(table["label"], described.labels), tokens
        )
        for split, table in tables.items()
    }

    network = family.build(numbers, tokenizer.get_vocab_size(), len(described.labels))
    fit = getattr(family, "fit", fitting.fit)
    with contextlib.redirect_stdout(sys.stderr):
        verbose = 1 if sys.stderr.isatty() else 2
        learned = fit(network, numbers, rows["train"], rows["valid"], params.seed, verbose)

    partial = bundle.with_name(bundle.name + ".partial")
    packing.write(partial, network, {"inputs": tokenizer}, described, length)
    fitted = fitting.probabilities(network, rows["valid"])
    found = packing.shipped(partial, texts["valid"], fitted, params.tolerance, params.threads)
    figures = _score(rows["valid"].labels, found, params)
    figures |= {"bytes": packing.size(partial), "epochs": len(learned)}
    records.write_csv(pl.DataFrame(learned), curve)
    records.write(figures, score)
    records.write(machine.fingerprint(params.threads, params.onednn), fingerprint)
    packing.publish(partial, bundle)
    print(f"{candidate}: macro-F1 {figures['macro_f1']:.4f} on {len(found):,} valid rows after {len(learned)} epochs")


def _numbered(names: pl.Series, labels: list[str]) -> Any:
    return names.replace_strict(labels, range(len(labels)), return_dtype=pl.Int64).to_numpy()


def _score(actual: Any, probabilities: Any, params: Params) -> dict[str, Any]:
    predicted = probabilities.argmax(axis=1)
    classes = probabilities.shape[1]
    samples = scoring.resample(actual, predicted, classes, params.resamples, params.seed)
    return {
        "accuracy": scoring.accuracy(actual, predicted),
        "macro_f1": scoring.macro_f1(actual, predicted, classes),
        "standard_error": float(samples["macro_f1"].std()),
    }
