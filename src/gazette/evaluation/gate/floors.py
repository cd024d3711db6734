"""Floors: absolute bounds that a classifier must meet, whatever the baseline. Pure."""

import math
from collections.abc import Mapping

from gazette.evaluation.gate.rules import Floors
from gazette.registry.verdict import FAIL, PASS, Finding

AT_MOST = ("ece", "megabytes", "milliseconds")


def check_floors(observed: Mapping[str, float | None], floors: Floors) -> list[Finding]:
    """Return a finding for each floor; a value that is missing or not a number fails."""
    return [_check_floor(name, observed.get(name), bound) for name, bound in floors]


def _check_floor(name: str, value: float | None, bound: float) -> Finding:
    expected = f"at most {bound:g}" if name in AT_MOST else f"at least {bound:g}"
    if value is None or not math.isfinite(value):
        return Finding(name, FAIL, str(value), expected, "the value is missing or not a number")
    reached = value <= bound if name in AT_MOST else value >= bound
    return Finding(name, PASS if reached else FAIL, round(value, 6), expected)
