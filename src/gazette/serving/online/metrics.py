"""Prometheus metrics of all workers: counted by hand, summed over processes by the client's files."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gazette.core.arrays import Array

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when it is imported
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class Metrics:
    """What a worker counts; `get` makes it once per process, after `VARIABLE` is set."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Gauge, Histogram

        self.requests = Counter("gazette_requests", "Requests by route and status.", ["route", "status"])
        self.seconds = Histogram("gazette_request_seconds", "Seconds from request to answer.", buckets=_SECONDS)
        self.texts = Counter("gazette_texts", "Texts answered, by version.", ["version"])
        self.labels = Counter("gazette_labels", "Predicted labels.", ["version", "label"])
        self.abstentions = Counter("gazette_abstentions", "Texts below the caller's min_confidence.")
        self.confidence = Histogram("gazette_confidence", "Probability of the predicted label.", buckets=_SHARES)
        self.swaps = Counter("gazette_swaps", "Changes of the version that answers, in each worker.")
        self.refused = Counter(
            "gazette_refused_versions", "Versions that failed a check and never answered, in each worker."
        )
        self.waiting = Gauge("gazette_waiting_texts", "Texts in the queues.", multiprocess_mode="livesum")
        self.unreachable = Gauge("gazette_source_unreachable", "1 if the registry does not answer.",
                                 multiprocess_mode="livemax")  # fmt: skip
        self.shadow = Counter("gazette_shadow_texts", "Texts answered aside, by agreement.", ["agreed"])
        self.shadow_dropped = Counter("gazette_shadow_dropped_texts", "Texts not answered aside: it was busy.")
        self.recorded = Counter("gazette_journal_records", "Records written to the journal.")
        self.unwritten = Counter(
            "gazette_journal_unwritten",
            "Answers sent without their record: failed, late (it may still come), full; or without their text: sample.",
            ["reason"],
        )
        self.corrections = Counter("gazette_corrections", "Corrections written to the feedback folder.")
        self._texts: dict[str, Counter] = {}
        self._labels: dict[tuple[str, str], Counter] = {}
        self._requests: dict[tuple[str, int], Counter] = {}

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is a pattern, never a path from outside."""
        key = (route, status)
        if key not in self._requests:
            self._requests[key] = self.requests.labels(route, str(status))
        self._requests[key].inc()
        self.seconds.observe(seconds)

    def count_answers(self, version: str, labels: list[str], probabilities: "Array") -> None:
        """Count the predicted labels and their probabilities."""
        if version not in self._texts:
            self._texts[version] = self.texts.labels(version)
        self._texts[version].inc(len(probabilities))
        for index, row in zip(probabilities.argmax(axis=1).tolist(), probabilities.tolist(), strict=True):
            key = (version, labels[index])
            if key not in self._labels:
                self._labels[key] = self.labels.labels(*key)
            self._labels[key].inc()
            self.confidence.observe(row[index])


get = cache(Metrics)


def use_folder(folder: Path) -> None:
    """Let this process and its children count in files of a folder; call it before prometheus_client is imported."""
    folder.mkdir(exist_ok=True)
    os.environ[VARIABLE] = str(folder)


def forget_process(pid: int) -> None:
    """Forget the gauges of a worker that ended; its counters stay."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(pid)


def page() -> tuple[bytes, str]:
    """Return the metrics of all workers as text, and its content type."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess

    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST
