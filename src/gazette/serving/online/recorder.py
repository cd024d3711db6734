"""The journal's thread of a worker, between inference and answer: it writes the records of whatever waits at once.

No answer fails because a record cannot be written, and none waits for it longer than `WAIT_SECONDS`, or a quarter of
the deadline.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.serving.journal import records, scripts, write
from gazette.serving.journal.records import Prediction, Source
from gazette.serving.journal.sample import Sample
from gazette.serving.online import log
from gazette.serving.online.metrics import Metrics

if TYPE_CHECKING:
    from gazette.serving.online.engine import Result

WAIT_SECONDS = 0.5
WAITING = 4_096  # batches whose records may wait; their texts are in memory


@dataclass(frozen=True)
class Note:
    """What a request's records say of it."""

    request_id: str
    source: Source


@dataclass(frozen=True)
class Entry:
    """Answers of a request, and the texts."""

    note: Note
    result: "Result"
    texts: Sequence[str]
    milliseconds: float

    def ids(self) -> list[str]:
        """Return the ids of the records."""
        return [f"{self.note.request_id}#{place}" for place in range(len(self.texts))]

    def predictions(self, hour: str) -> list[Prediction]:
        """Return the records."""
        return records.make(
            self.result.answers,
            self.result.model.bundle.labels,
            self.ids(),
            [scripts.language(text) for text in self.texts],
            hour=hour,
            digest=self.result.model.served.digest,
            milliseconds=round(self.milliseconds, 3),
            source=self.note.source,
        )


@dataclass
class Batch:
    """Answers that inference gave at once; `send` sends them, which may be called twice."""

    entries: list[Entry]
    send: Callable[[], object]
    hour: str = field(default_factory=lambda: records.hour_of(datetime.now(UTC)))
    since: float = field(default_factory=time.monotonic)
    is_sent: bool = False

    def texts(self) -> int:
        """Return the number of texts."""
        return sum(len(entry.texts) for entry in self.entries)


class Recorder:
    """Writes records, then sends the answers. Texts that are drawn are masked and written by another thread, later."""

    def __init__(self, folder: Path, share: float, metrics: Metrics, deadline_seconds: float) -> None:
        self.folder, self.share, self.metrics = folder, share, metrics
        self.wait_seconds = min(WAIT_SECONDS, deadline_seconds / 4)
        self._faults: dict[str, str] = {}
        self._digests: set[str] = set()
        self._waiting: dict[int, Batch] = {}
        self._hangs = False  # the disk; then no further answer waits
        self._records: queue.SimpleQueue[Batch] = queue.SimpleQueue()
        self._texts: queue.SimpleQueue[Batch] = queue.SimpleQueue()
        targets = {"journal": self._run, "journal watch": self._watch} | ({"sample": self._run_sample} if share else {})
        for name, target in targets.items():
            threading.Thread(target=target, name=name, daemon=True).start()

    def record(self, batch: Batch) -> None:
        """Send the answers once their records are written; if too many wait, without them."""
        if self._records.qsize() >= WAITING:
            self._send(batch, "full")
            return
        self._waiting[id(batch)] = batch
        self._records.put(batch)
        if self._hangs:
            self._send(batch, "late")

    def _send(self, batch: Batch, reason: str = "") -> None:
        if not batch.is_sent:
            batch.is_sent = True
            if reason:
                self._count(reason, [batch])
            batch.send()

    def _count(self, reason: str, batches: Sequence[Batch]) -> None:
        self.metrics.unwritten.labels(reason).inc(sum(batch.texts() for batch in batches))

    def _run(self) -> None:
        while True:
            batches = _take(self._records)
            self._attempt("journal", self._append, batches)
            self._hangs = False
            for batch in batches:
                self._waiting.pop(id(batch))
                self._send(batch)
                if self.share and self._texts.qsize() < WAITING:
                    self._texts.put(batch)

    def _watch(self) -> None:
        """Send what waits too long, as for a disk that hangs."""
        while True:
            time.sleep(self.wait_seconds / 5)
            for batch in list(self._waiting.values()):
                if time.monotonic() - batch.since > self.wait_seconds:
                    self._hangs = True
                    self._send(batch, "late")

    def _run_sample(self) -> None:
        while True:
            self._attempt("sample", self._keep_texts, _take(self._texts))

    def _attempt(self, name: str, act: Callable[[list[Batch]], None], batches: list[Batch]) -> None:
        try:
            act(batches)
        except Exception as error:  # noqa: BLE001  # whatever happens to the journal, answers go on
            if self._faults.get(name) != repr(error):
                log.write_error(f"{name} not written", error, reason=getattr(error, "strerror", None))
            self._faults[name] = repr(error)
            self._count("failed" if name == "journal" else "sample", batches)
        else:
            if self._faults.pop(name, None):
                log.write(f"{name} written again")

    def _append(self, batches: list[Batch]) -> None:
        for entry in (entry for batch in batches for entry in batch.entries):
            model = entry.result.model
            if model.served.digest not in self._digests:
                write.write_labels(self.folder, model.served.digest, model.bundle.labels)
                self._digests.add(model.served.digest)
        lines = [line for batch in batches for entry in batch.entries for line in entry.predictions(batch.hour)]
        write.append(self.folder, lines)
        self.metrics.recorded.inc(len(lines))

    def _keep_texts(self, batches: list[Batch]) -> None:
        sample = Sample(self.folder, self.share)
        for batch in batches:
            for entry in batch.entries:
                if entry.note.source == "serve" and (pairs := sample.draw(entry.ids(), entry.texts)):
                    sample.append(batch.hour, pairs, entry.result.model.bundle.language)


def _take(waiting: "queue.SimpleQueue[Batch]") -> list[Batch]:
    """Wait for a batch and return it with all others that wait."""
    batches = [waiting.get()]
    while len(batches) < WAITING and not waiting.empty():
        batches.append(waiting.get())
    return batches
