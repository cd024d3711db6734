"""Two classifiers on the test articles that both predicted: a paired test, and the articles that flipped."""

from typing import Any

import polars as pl

from gazette.core import articles, metrics
from gazette.core.arrays import Array
from gazette.evaluation.gate import paired_tests

PLACE = ["split", "file", "line"]


def compare_predictions(
    before: pl.DataFrame, after: pl.DataFrame, settings: dict[str, Any]
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return the statistics of both on the articles that they share, and the shared articles that flipped.

    Both tables have `key` (equal keys are the same article), label, predicted, probability, and their place; `settings`
    are those of `evaluate` (resamples, seed, confidence). An article whose label differs is counted but not compared.
    The test is McNemar's, exact and two-sided. Differences are after minus before, with the interval of the paired
    bootstrap.
    """
    joined = (
        after.unique("key", keep="first", maintain_order=True)
        .join(before.unique("key", keep="first"), on="key", suffix="_before", maintain_order="left")
        .sort(PLACE)
    )
    shared = joined.filter(pl.col("label") == pl.col("label_before"))
    statistics: dict[str, Any] = {
        "articles": shared.height,
        "labels differ": joined.height - shared.height,
        "only before": before["key"].n_unique() - joined.height,
        "only after": after["key"].n_unique() - joined.height,
    }
    if shared.height:
        statistics |= _paired_statistics(shared, settings)
    return statistics, _flipped(shared)


def _paired_statistics(shared: pl.DataFrame, settings: dict[str, Any]) -> dict[str, Any]:
    names = sorted({*shared["label"], *shared["predicted"], *shared["predicted_before"]})
    actual, before, after = (
        articles.encode_labels(shared[name], names) for name in ("label", "predicted_before", "predicted")
    )
    pair = paired_tests.Pair(actual, after, before, len(names))
    differences = paired_tests.bootstrap_differences(pair, int(settings["resamples"]), int(settings["seed"]))
    tail = (1 - float(settings["confidence"])) / 2
    lost, won = paired_tests.discordant_pairs(actual, after, before)
    return {
        "before": _metrics(actual, before, len(names)),
        "after": _metrics(actual, after, len(names)),
        "difference": {
            name: {"observed": difference.observed, "low": difference.lower(tail), "high": difference.upper(tail)}
            for name, difference in differences.items()
        },
        "confidence": float(settings["confidence"]),
        "right before alone": lost,
        "right after alone": won,
        "mcnemar_p": paired_tests.mcnemar(lost, won, "two-sided"),
    }


def _metrics(actual: Array, predicted: Array, classes: int) -> dict[str, float]:
    accuracy, macro_f1 = metrics.accuracy(actual, predicted), metrics.macro_f1(actual, predicted, classes)
    return {"accuracy": accuracy, "macro_f1": macro_f1}


def _flipped(shared: pl.DataFrame) -> pl.DataFrame:
    """Return articles that are now wrong first, then now right, then otherwise wrong; each by falling probability."""
    after, before = pl.col("predicted") == pl.col("label"), pl.col("predicted_before") == pl.col("label")
    change = (
        pl.when(before)
        .then(pl.lit("now wrong"))
        .when(after)
        .then(pl.lit("now right"))
        .otherwise(pl.lit("otherwise wrong"))
    )
    order = pl.col("change").replace_strict({"now wrong": 0, "now right": 1, "otherwise wrong": 2})
    return (
        shared.filter(pl.col("predicted") != pl.col("predicted_before"))
        .with_columns(change=change)
        .sort(order, -pl.col("probability"), *PLACE)
        .select(
            "change", "file", "line", "label", pl.col("predicted_before").alias("before"),
            pl.col("predicted").alias("after"), pl.col("probability_before").round(4), pl.col("probability").round(4),
        )
    )  # fmt: skip
