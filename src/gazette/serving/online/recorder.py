"""The journal's thread of a worker: it writes what waits together, and no answer fails because it cannot write."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gazette.serving.journal import records, scripts, write
from gazette.serving.journal.records import Prediction, Source
from gazette.serving.journal.sample import Sample
from gazette.serving.online import log
from gazette.serving.online.engine import Result
from gazette.serving.online.metrics import Metrics

WAIT_SECONDS = 0.5  # an answer waits so long for its record
WAITING = 4_096  # answers whose records may wait; their texts are in memory


@dataclass
class Entry:
    """Answers of a request: by whom, to which texts, under which id."""

    result: Result
    texts: Sequence[str]
    request_id: str
    milliseconds: float
    source: Source
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    hour: str = field(default_factory=lambda: records.hour_of(datetime.now(UTC)))

    def __post_init__(self) -> None:
        self.written: asyncio.Future[bool] = self.loop.create_future()

    def ids(self) -> list[str]:
        """Return the ids of the records."""
        return [f"{self.request_id}#{place}" for place in range(len(self.texts))]

    def predictions(self) -> list[Prediction]:
        """Return the records."""
        return records.make(
            self.result.answers,
            self.result.model.bundle.labels,
            self.ids(),
            [scripts.language(text) for text in self.texts],
            hour=self.hour,
            digest=self.result.model.served.digest,
            milliseconds=round(self.milliseconds, 3),
            source=self.source,
        )


class Recorder:
    """Writes records of answers; an answer is sent once its record is written, or after `WAIT_SECONDS`.

    Texts that are drawn are masked and written by a second thread, which no answer waits for.
    """

    def __init__(self, folder: Path, share: float, metrics: Metrics) -> None:
        self.folder, self.share, self.metrics = folder, share, metrics
        self._faults: dict[str, str] = {}
        self._digests: set[str] = set()
        self._busy_since = float("inf")
        self._records: queue.SimpleQueue[Entry] = queue.SimpleQueue()
        self._texts: queue.SimpleQueue[Entry] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="journal", daemon=True).start()
        if share:
            threading.Thread(target=self._run_sample, name="sample", daemon=True).start()

    async def write(self, entry: Entry) -> None:
        """Return once the records of an entry are written; what was not written in time is counted."""
        if self._records.qsize() >= WAITING:
            self._count("full", entry)
            return
        self._records.put(entry)
        if time.monotonic() - self._busy_since > WAIT_SECONDS:  # a disk that hangs delays no further answer
            self._count("late", entry)
            return
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await entry.written
        except TimeoutError:
            self._count("late", entry)

    def _count(self, reason: str, *entries: Entry) -> None:
        self.metrics.unwritten.labels(reason).inc(sum(len(entry.texts) for entry in entries))

    def _run(self) -> None:
        while True:
            entries = _take(self._records)
            self._busy_since = time.monotonic()
            self._attempt("journal", self._append, entries)
            self._busy_since = float("inf")
            entries[0].loop.call_soon_threadsafe(_resolve, entries)
            for entry in entries if self.share else ():
                if entry.source == "serve" and self._texts.qsize() < WAITING:
                    self._texts.put(entry)

    def _run_sample(self) -> None:
        while True:
            self._attempt("sample", self._keep_texts, _take(self._texts))

    def _attempt(self, name: str, act: Callable[[list[Entry]], None], entries: list[Entry]) -> None:
        try:
            act(entries)
        except Exception as error:  # noqa: BLE001  # whatever happens to the journal, answers go on
            if self._faults.get(name) != repr(error):
                log.write_error(f"{name} not written", error, reason=getattr(error, "strerror", None))
            self._faults[name] = repr(error)
            self._count("failed" if name == "journal" else "sample", *entries)
        else:
            if self._faults.pop(name, None):
                log.write(f"{name} written again")

    def _append(self, entries: list[Entry]) -> None:
        for entry in entries:
            model = entry.result.model
            if model.served.digest not in self._digests:
                write.write_labels(self.folder, model.served.digest, model.bundle.labels)
                self._digests.add(model.served.digest)
        predictions = [prediction for entry in entries for prediction in entry.predictions()]
        write.append(self.folder, predictions)
        self.metrics.recorded.inc(len(predictions))

    def _keep_texts(self, entries: list[Entry]) -> None:
        sample = Sample(self.folder, self.share)
        for entry in entries:
            if pairs := sample.draw(entry.ids(), entry.texts):
                sample.append(entry.hour, pairs, entry.result.model.bundle.language)


def _take(waiting: "queue.SimpleQueue[Entry]") -> list[Entry]:
    """Wait for an entry and return it with all others that wait."""
    entries = [waiting.get()]
    while len(entries) < WAITING and not waiting.empty():
        entries.append(waiting.get())
    return entries


def _resolve(entries: list[Entry]) -> None:
    for entry in entries:
        if not entry.written.done():
            entry.written.set_result(True)
