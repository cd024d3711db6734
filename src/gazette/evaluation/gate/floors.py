"""Floors: absolute bounds that a classifier must meet, whatever the baseline. Pure."""

import math
from collections.abc import Mapping, Sequence

import polars as pl

from gazette.core.arrays import Array
from gazette.core.escape import format_places, quote
from gazette.evaluation.gate.rules import Floors
from gazette.registry.verdict import FAIL, PASS, Finding

AT_MOST = ("ece", "megabytes", "milliseconds")
BY_CLASS = ("accuracy", "macro_f1", "worst_recall")  # a class can be named that is the reason
MAX_PLACES = 3
DIGITS = 6  # that are shown, and compared: a floor that is set to what was shown is met


def check_floors(observed: Mapping[str, float | None], floors: Floors, weakest: str = "") -> list[Finding]:
    """Return a finding for each floor; a value that is missing or not a number fails.

    `weakest` says which class is recalled worst; it is the reason of a floor that is missed on labels.
    """
    return [_check_floor(name, observed.get(name), bound, weakest) for name, bound in floors]


def _check_floor(name: str, value: float | None, bound: float, weakest: str) -> Finding:
    expected = f"at most {bound:g}" if name in AT_MOST else f"at least {bound:g}"
    if value is None or not math.isfinite(value):
        return Finding(name, FAIL, str(value), expected, "the value is missing or not a number")
    shown, bound = round(value, DIGITS), round(bound, DIGITS)
    if shown <= bound if name in AT_MOST else shown >= bound:
        return Finding(name, PASS, shown, expected)
    return Finding(name, FAIL, shown, expected, weakest if name in BY_CLASS else "")


def explain_weakest(rows: pl.DataFrame, actual: Array, predicted: Array, labels: Sequence[str]) -> str:
    """Return the class that is recalled worst, with its figures, and the first of its articles that are wrong."""
    table = rows.select("file", "line").with_columns(
        actual=pl.Series(actual), predicted=pl.Series(predicted), right=pl.Series(actual == predicted)
    )
    recalls = table.group_by("actual").agg(pl.col("right").mean()).sort("right", "actual")
    of_class = table.filter(pl.col("actual") == recalls["actual"][0])
    wrong = of_class.filter(~pl.col("right")).sort("file", "line")
    if wrong.is_empty():
        return ""
    mistaken = wrong["predicted"].value_counts(sort=True)["predicted"][0]
    return (
        f"the weakest class is {quote(labels[recalls['actual'][0]])}: {of_class.height - wrong.height:,} of its "
        f"{of_class.height:,} test articles are right, most others are taken for {quote(labels[mistaken])}; the first: "
        f"{format_places(wrong.to_dicts(), MAX_PLACES)}"
    )
