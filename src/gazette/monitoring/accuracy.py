"""Accuracy of traffic, by labels that were asked at random, and without labels as if only the mix had changed; pure.

Frames of answers have hour, predicted and label; `labeled` are the reference's rows in the columns of the journal, with
`actual`.
"""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from gazette.evaluation.intervals import wilson_interval
from gazette.monitoring import cusum, estimates
from gazette.monitoring.cusum import CusumResult
from gazette.monitoring.params import Params

WEEKS_A_YEAR = 365.25 / 7
Row = dict[str, Any]


def sum_errors(random: pl.DataFrame, error: float | None, params: Params) -> CusumResult:
    """Return the CUSUM of randomly drawn answers, in order; without the error of a reference it cannot alarm."""
    wrong = (random["predicted"] != random["label"]).to_numpy()
    if error is None:
        return CusumResult(np.zeros(len(wrong)), float("inf"), None)
    error = round(min(error, 1 - params.loss - cusum.MIN_ERROR), 4)
    rate, a_year = params.labeled_alarms_a_year, params.labels_a_week * WEEKS_A_YEAR
    together = max(round(params.labels_a_week * params.window_days / 7), 1)
    clusters = cusum.Clusters(together, params.error_correlation)
    interval = cusum.decision_interval(error, params.loss, rate, a_year, clusters)
    return cusum.run(wrong, error, params.loss, interval)


def estimate(answers: pl.DataFrame, confidence: float) -> Row | None:
    """Return rows and accuracy of answers with Wilson's interval; None without answers."""
    if answers.is_empty():
        return None
    share = float((answers["predicted"] == answers["label"]).mean())  # type: ignore[arg-type]
    low, high = wilson_interval(share, answers.height, confidence)
    return {"rows": answers.height, "accuracy": share, "low": low, "high": high}


def within(answers: pl.DataFrame, window: Row) -> pl.DataFrame:
    """Return the answers about articles of a window."""
    begin, end = (datetime.fromisoformat(f"{window[key]}T00:00+00:00") for key in ("from", "to"))
    return answers.filter(pl.col("hour").is_between(begin, end + timedelta(days=1), closed="left"))


def summarize_reference(labeled: pl.DataFrame) -> Row:
    """Return error, mean confidence, the cut of ATC and the shares of actual classes of the reference's rows."""
    right = (labeled["label"] == labeled["actual"]).to_numpy()
    confidences = labeled["probabilities"].list.max().to_numpy()
    shares = labeled["actual"].value_counts(normalize=True)
    return {
        "error": float(1 - right.mean()),
        "confidence": float(confidences.mean()),
        "cut": estimates.atc_cut(confidences, right),
        "shares": dict(shares.iter_rows()),
    }


def estimate_unlabeled(window: Row, reference: Row) -> dict[str, float]:
    """Return what CBPE and ATC make of a window's means; see estimates.py for what they cannot see."""
    cbpe = estimates.cbpe(window["confidence"], reference["confidence"], 1 - reference["error"])
    return {"cbpe": cbpe, "atc": window["certain"]}


def estimate_mix(probabilities: pl.Series, labels: list[str], reference: Row) -> Row:
    """Return the shares of classes that make a window's probabilities likeliest (MLLS), and the accuracy they imply."""
    before = np.array([reference["shares"].get(label, 0.0) for label in labels])
    matrix = probabilities.list.to_array(len(labels)).to_numpy().astype(np.float64)
    shares, accuracy = estimates.mlls(matrix, before)
    return {"accuracy": accuracy, "shares": dict(zip(labels, shares.tolist(), strict=True))}
