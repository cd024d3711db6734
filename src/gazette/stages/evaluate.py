"""Turns the selected bundle and the test rows into metrics with intervals, slices, plots and predictions."""

from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, Field

from gazette.core import articles, files
from gazette.core import metrics as scoring
from gazette.core.bundle import Bundle
from gazette.evaluation import slices as slicing


class Params(BaseModel, frozen=True, extra="forbid"):
    """How the bootstrap draws, how confident its intervals are, and what is worth showing."""

    seed: int = Field(ge=0)
    threads: int = Field(ge=1)
    resamples: int = Field(ge=100, le=100_000)
    confidence: float = Field(gt=0.5, lt=1)
    min_slice_rows: int = Field(ge=1)
    mistakes: int = Field(ge=0)


def run(
    params: Params,
    *,
    bundle: Path,
    test: Path,
    metrics: Path,
    slices: Path,
    confusion: Path,
    calibration: Path,
    predictions: Path,
    mistakes: Path,
) -> None:
    """What is judged is what is shipped: the bundle's exported network, in ONNX Runtime."""
    classifier = Bundle(bundle, params.threads)
    labels = classifier.labels
    rows = articles.read(test)
    probabilities = classifier.probabilities(rows["text"].to_list())
    actual = rows["label"].replace_strict(labels, range(len(labels)), return_dtype=pl.Int64).to_numpy()
    predicted = probabilities.argmax(axis=1)
    errors, curve = scoring.calibration(actual, probabilities)
    figures = _figures(params, actual, predicted, labels) | errors
    judged = rows.with_columns(
        predicted=pl.Series([labels[number] for number in predicted], dtype=pl.String),
        probability=pl.Series(probabilities.max(axis=1)),
        probabilities=pl.Series(probabilities.tolist(), dtype=pl.List(pl.Float32)),
    )
    wrong = judged.filter(pl.col("label") != pl.col("predicted"))
    confident = wrong.sort("probability", "file", "line", descending=[True, False, False]).head(params.mistakes)
    files.write(figures, metrics)
    files.write_csv(slicing.by_slice(judged, classifier.language, params.min_slice_rows), slices)
    files.write_csv(pl.DataFrame(scoring.confusion(actual, predicted, labels)), confusion)
    files.write_csv(pl.DataFrame(curve), calibration)
    articles.write_table(judged.drop("text"), predictions)
    articles.write_table(confident.drop("probabilities"), mistakes)
    ends = figures["interval"]["accuracy"]
    print(f"accuracy {figures['accuracy']:.4f} ({ends['low']:.4f} to {ends['high']:.4f}) on {rows.height:,} test rows")


def _figures(params: Params, actual: Any, predicted: Any, labels: list[str]) -> dict[str, Any]:
    samples = scoring.resample(actual, predicted, len(labels), params.resamples, params.seed)
    ends = {name: scoring.interval(drawn, params.confidence) for name, drawn in samples.items()}
    return {
        "accuracy": scoring.accuracy(actual, predicted),
        "macro_f1": scoring.macro_f1(actual, predicted, len(labels)),
        "interval": {name: {"low": low, "high": high} for name, (low, high) in ends.items()},
        "rows": len(actual),
        "classes": scoring.per_class(actual, predicted, labels),
    }
