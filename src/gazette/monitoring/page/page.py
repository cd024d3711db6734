"""The page of the monitor, self-contained like the report."""

from pathlib import Path
from typing import Any

from prefect_dvc.core import atomic

from gazette.evaluation.report import over_time, render
from gazette.evaluation.report.charts import Spec
from gazette.evaluation.report.rows import escape_hidden, escape_rows
from gazette.monitoring.observation import Observation
from gazette.monitoring.page import charts
from gazette.monitoring.params import Params
from gazette.monitoring.signals import SIGNALS
from gazette.pipeline import written
from gazette.training.explanation.domain import Difference

TITLE = " · Gazette</title>".encode()
MEANINGS = {
    "labels": "shares of predicted labels",
    "confidence": "mean confidence",
    "unknown": "mean share of unknown tokens",
    "length": "mean logarithm of the length",
    "language": "shares of languages",
}
KINDS = {"cbpe": "by confidence (CBPE)", "atc": "by a cut (ATC)"}


def write_page(
    path: Path, observation: Observation, words: Difference | None, delays: list[dict[str, Any]], params: Params
) -> None:
    """Write the page, in place of nothing but a page."""
    written.check_replaceable(path, lambda content: TITLE in content)
    atomic.write_text(path, render_page(observation, words, delays, params))


def render_page(
    observation: Observation, words: Difference | None, delays: list[dict[str, Any]], params: Params
) -> str:
    """Render the page; `words` are what differs in sampled texts, `delays` rows of cusum.detection_table."""
    facts = {
        "name": observation.name,
        "observation": observation,
        "newest": observation.windows[-1] if observation.windows else None,
        "signals": signal_rows(observation),
        "windows": window_rows(observation),
        "words": words,
        "delays": delays,
        "params": params,
        "highest": max(observation.cusum.statistic, default=0.0),
        "latest": observation.cusum.statistic[-1] if len(observation.cusum.statistic) else 0.0,
    }
    return render.render(Path(__file__).parent, "monitor.html.j2", facts, build_charts(observation), {})


def signal_rows(observation: Observation) -> list[dict[str, Any]]:
    """Return a row for each signal of the newest window."""
    if not observation.windows:
        return []
    newest = observation.windows[-1]
    return [
        {
            "signal": name,
            "meaning": MEANINGS[name],
            "distance": newest["distances"].get(name),
            "threshold": newest["thresholds"].get(name),
            "alarms": sum(name in window["alarms"] for window in observation.windows),
            "state": "alarm" if name in newest["alarms"] else "quiet" if newest["thresholds"] else "not known yet",
        }
        for name in SIGNALS
    ]


def window_rows(observation: Observation) -> list[dict[str, Any]]:
    """Return the windows as rows of a table, the newest first."""
    return [
        {
            "window": row["from"],
            "rows": row["rows"],
            "labeled": row["labeled"],
            "unlabeled": row.get("unlabeled"),
            "confidence": row["confidence"],
            "unknown": row["unknown"],
            "tokens": row["tokens"],
            "state": ", ".join(row["alarms"]) or ("reference" if row["is_reference"] else ""),
        }
        for row in reversed(observation.windows)
    ]


def build_charts(observation: Observation) -> dict[str, Spec]:
    """Return the charts for which there are rows, by name."""
    specs: dict[str, Spec] = {}
    windows = observation.windows
    ratios = [
        {"window": row["from"], "signal": name, "distance": row["distances"][name], "threshold": limit}
        | {"ratio": row["distances"][name] / limit}
        for row in windows
        for name, limit in row["thresholds"].items()
    ]
    if ratios:
        specs["signals"] = charts.signal_chart(ratios, list(SIGNALS))
    labeled = [{"window": row["from"], **row["labeled"]} for row in windows if row["labeled"]]
    guesses = [
        {"window": row["from"], "kind": title, "accuracy": row["unlabeled"][kind]}
        for row in windows
        if "unlabeled" in row
        for kind, title in KINDS.items()
    ]
    if labeled or guesses:
        reference = None if observation.error is None else 1 - observation.error
        specs["accuracy"] = charts.accuracy_chart(labeled, guesses, list(KINDS.values()), reference)
    if observation.labels and observation.error is not None:
        sums = enumerate(zip(observation.hours, observation.cusum.statistic.tolist(), strict=True), 1)
        rows = [{"number": number, "hour": f"{hour:%Y-%m-%d %H:00}", "sum": value} for number, (hour, value) in sums]
        specs["cusum"] = charts.cusum_chart(rows, observation.cusum.interval)
    if windows:
        specs["shares"] = _shares(windows)
    return specs


def _shares(windows: list[dict[str, Any]]) -> Spec:
    """Return the chart of label shares; small classes are one."""
    totals: dict[str, float] = {}
    for row in windows:
        for label, share in row["labels"].items():
            totals[label] = totals.get(label, 0) + share
    largest = sorted(totals, key=lambda label: (-totals[label], label))
    named = largest if len(largest) <= over_time.MAX_CLASSES + 1 else largest[: over_time.MAX_CLASSES]
    order = [*named, *([over_time.OTHERS] if len(named) < len(largest) else [])]
    rows = []
    for row in windows:
        shares = {label: row["labels"][label] for label in named}
        if len(named) < len(largest):
            shares[over_time.OTHERS] = 1 - sum(shares.values())
        rows += [
            {"window": row["from"], "label": label, "share": shares[label], "position": order.index(label)}
            for label in order
        ]
    return charts.share_chart(escape_rows(rows), [escape_hidden(label) for label in order])
