"""Two classifiers on the test articles that both were judged on: a paired test, and the articles that flipped."""

from typing import Any

import numpy as np
import polars as pl
from scipy.stats import binomtest

from gazette.core import metrics
from gazette.evaluation.gate import comparison

PLACE = ["split", "file", "line"]


def paired(before: pl.DataFrame, after: pl.DataFrame, rows: dict[str, Any]) -> tuple[dict[str, Any], pl.DataFrame]:
    """Figures of both on the articles that they share, and those shared articles whose predicted class differs.

    Both tables have `key` (equal keys are one article), label, predicted, probability, and their place; `rows` are the
    numbers of `evaluate` (resamples, seed, confidence). An article whose label differs is compared by neither and
    counted. The test is McNemar's, exact and two-sided: of the articles that one gets right and the other not, as many
    should be one's as the other's (Q. McNemar, 1947). Differences are after less before, with the interval of the
    paired bootstrap.
    """
    both = (
        after.unique("key", keep="first", maintain_order=True)
        .join(before.unique("key", keep="first"), on="key", suffix="_before", maintain_order="left")
        .sort(PLACE)
    )
    shared = both.filter(pl.col("label") == pl.col("label_before"))
    figures: dict[str, Any] = {
        "articles": shared.height,
        "labels differ": both.height - shared.height,
        "only before": before["key"].n_unique() - both.height,
        "only after": after["key"].n_unique() - both.height,
    }
    if shared.height:
        figures |= _figures(shared, rows)
    return figures, _flipped(shared)


def _figures(shared: pl.DataFrame, rows: dict[str, Any]) -> dict[str, Any]:
    names = sorted({*shared["label"], *shared["predicted"], *shared["predicted_before"]})
    numbers = {name: _numbers(shared[name], names) for name in ("label", "predicted", "predicted_before")}
    actual, then, now = numbers["label"], numbers["predicted_before"], numbers["predicted"]
    pair = comparison.Pair(actual, now, then, len(names))
    tail = (1 - float(rows["confidence"])) / 2
    found = comparison.differences(pair, int(rows["resamples"]), int(rows["seed"]))
    lost, won = comparison.apart(actual, now, then)
    return {
        "before": {"accuracy": metrics.accuracy(actual, then), "macro_f1": metrics.macro_f1(actual, then, len(names))},
        "after": {"accuracy": metrics.accuracy(actual, now), "macro_f1": metrics.macro_f1(actual, now, len(names))},
        "difference": {
            name: {"observed": one.observed, "low": one.above(tail), "high": one.below(tail)}
            for name, one in found.items()
        },
        "confidence": float(rows["confidence"]),
        "right before alone": lost,
        "right after alone": won,
        "mcnemar_p": float(binomtest(lost, lost + won).pvalue) if lost + won else 1.0,
    }


def _numbers(labels: pl.Series, names: list[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return labels.replace_strict(names, range(len(names)), return_dtype=pl.Int64).to_numpy()


def _flipped(shared: pl.DataFrame) -> pl.DataFrame:
    """Now wrong first, then now right, then otherwise wrong; the surest of each first."""
    now, then = pl.col("predicted") == pl.col("label"), pl.col("predicted_before") == pl.col("label")
    change = (
        pl.when(then).then(pl.lit("now wrong")).when(now).then(pl.lit("now right")).otherwise(pl.lit("otherwise wrong"))
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
