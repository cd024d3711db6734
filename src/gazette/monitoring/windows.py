"""Windows of traffic beside the reference: means, distances, thresholds and alarms; pure."""

from datetime import date, timedelta
from math import expm1
from typing import Any

from gazette.monitoring import thresholds
from gazette.monitoring.params import Params
from gazette.monitoring.signals import EPOCH, SIGNALS, Days, join, list_windows

MAX_WINDOWS = 13  # of the journal that become the reference, a year of four weeks each
Row = dict[str, Any]
Limits = dict[str, float | None]


def build_windows(days: Days, until: date, reference: Days | None, params: Params, anchor: date = EPOCH) -> list[Row]:
    """Return a row for each whole window before `until` that has records, the oldest first; see list_windows.

    Without a reference of its own, a window is compared with the first MAX_WINDOWS before it that did not alarm; as
    long as they are fewer than thresholds.MIN_WINDOWS, nothing can alarm.
    """
    rows: list[Row] = []
    calm: list[Days] = []
    limits = find_limits(reference, params) if reference else {}
    for start in list_windows(days.first, until, params.window_days, anchor):
        window = days.part(start, params.window_days)
        if not window.rows.any():
            continue
        before = reference or (join(calm) if calm else None)
        row = describe(window) | {"is_reference": False} | (compare(window, before, limits) if before else _NOTHING)
        if reference is None and len(calm) < MAX_WINDOWS and not row["alarms"]:
            row["is_reference"] = True
            calm.append(window)
            limits = find_limits(join(calm), params)
        rows.append(row)
    return rows


_NOTHING: Row = {"distances": {}, "thresholds": {}, "alarms": []}


def find_limits(reference: Days, params: Params) -> Limits:
    """Return how far each signal may be from the reference; None for all if the reference is too short.

    Each signal has an equal part of the false alarms. No limit is below `min_change`.
    """
    rate = params.unlabeled_alarms_a_year / len(SIGNALS)
    limits: Limits = {}
    for name in SIGNALS:
        limit = thresholds.threshold(
            reference.sums[name], reference.rows, params.window_days, rate, params.resamples, params.seed
        )
        limits[name] = None if limit is None else max(limit, params.min_change)
    return limits


def compare(window: Days, reference: Days, limits: Limits) -> Row:
    """Return the distance of each signal, its threshold, wider for a window of few rows, and which signals alarm."""
    usual = reference.rows.sum() / len(reference.rows) * len(window.rows)
    factor = thresholds.widen(window.rows.sum(), usual)
    distances = {
        name: float(
            thresholds.distance(
                window.sums[name].sum(axis=0), window.rows.sum(), reference.sums[name].sum(axis=0), reference.rows.sum()
            )
        )
        for name in SIGNALS
    }
    scaled = {name: limit * factor for name, limit in limits.items() if limit is not None}
    alarms = [name for name, limit in scaled.items() if distances[name] > limit]
    return {"distances": distances, "thresholds": scaled, "alarms": alarms}


def describe(window: Days) -> Row:
    """Return the first and last day of a window and its means; `tokens` is the geometric mean of the lengths."""
    rows = float(window.rows.sum())
    last = window.first + timedelta(days=len(window.rows) - 1)
    shares = {
        name: dict(zip(names, window.means(name).tolist(), strict=True)) for name, names in window.columns.items()
    }
    return {
        "from": window.first.isoformat(),
        "to": last.isoformat(),
        "rows": int(rows),
        "labels": shares["labels"],
        "languages": shares["language"],
        "confidence": float(window.means("confidence")[0]),
        "unknown": float(window.means("unknown")[0]),
        "tokens": expm1(float(window.means("length")[0])),
        "certain": float(window.certain.sum() / rows),
    }
