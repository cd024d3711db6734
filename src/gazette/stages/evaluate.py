"""Evaluate the selected bundle on the test split: metrics with intervals, slices, plots and predictions."""

from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, Field

from gazette.core import articles, files, tables
from gazette.core import metrics as scoring
from gazette.core.arrays import Array
from gazette.core.bundle import Bundle
from gazette.evaluation import slices as slicing
from gazette.evaluation.periods import period_accuracy


class Params(BaseModel, frozen=True, extra="forbid"):
    """Bootstrap and interval settings, the smallest slice, and the number of mistakes to list."""

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
    """Evaluate what is shipped: the exported network in ONNX Runtime."""
    classifier = Bundle(bundle, params.threads)
    labels = classifier.labels
    rows = articles.read_articles(test)
    probabilities = classifier.probabilities(rows["text"].to_list())
    actual = articles.encode_labels(rows["label"], labels)
    predicted = probabilities.argmax(axis=1)
    errors, curve = scoring.calibration(actual, probabilities)
    figures = _compute_metrics(params, actual, predicted, labels) | errors
    predicted_rows = rows.with_columns(
        predicted=pl.Series([labels[number] for number in predicted], dtype=pl.String),
        probability=pl.Series(probabilities.max(axis=1)),
        probabilities=pl.Series(probabilities.tolist(), dtype=pl.List(pl.Float32)),
    )
    wrong = predicted_rows.filter(pl.col("label") != pl.col("predicted"))
    worst = wrong.sort("probability", "file", "line", descending=[True, False, False]).head(params.mistakes)
    if "date" in rows.columns:
        figures["periods"] = period_accuracy(predicted_rows, params.confidence)
    files.write_json(metrics, figures)
    tables.write_csv(slices, slicing.slice_accuracy(predicted_rows, classifier.language, params.min_slice_rows))
    tables.write_csv(confusion, pl.DataFrame(scoring.confusion(actual, predicted, labels)))
    tables.write_csv(calibration, pl.DataFrame(curve))
    tables.write_parquet(predictions, predicted_rows.drop("text"))
    tables.write_parquet(mistakes, worst.drop("probabilities"))
    ends = figures["interval"]["accuracy"]
    print(f"accuracy {figures['accuracy']:.4f} ({ends['low']:.4f} to {ends['high']:.4f}) on {rows.height:,} test rows")


def _compute_metrics(params: Params, actual: Array, predicted: Array, labels: list[str]) -> dict[str, Any]:
    samples = scoring.bootstrap(actual, predicted, len(labels), params.resamples, params.seed)
    ends = {name: scoring.percentile_interval(values, params.confidence) for name, values in samples.items()}
    return {
        "accuracy": scoring.accuracy(actual, predicted),
        "macro_f1": scoring.macro_f1(actual, predicted, len(labels)),
        "interval": {name: {"low": low, "high": high} for name, (low, high) in ends.items()},
        "rows": len(actual),
        "classes": scoring.per_class(actual, predicted, labels),
    }
