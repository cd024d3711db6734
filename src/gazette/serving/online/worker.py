"""A worker: the models that answer in this process, replaced when the roster changes."""

import asyncio
import hashlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from prefect_dvc import hashing

from gazette.data import feedback
from gazette.data.feedback import Feedback
from gazette.serving.online import log, metrics, roster, settings
from gazette.serving.online.body import RequestError
from gazette.serving.online.engine import Engine, Model, Result
from gazette.serving.online.failures import OverloadedError
from gazette.serving.online.recorder import Note, Recorder
from gazette.serving.online.roster import Roster, Served

WATCH_SECONDS = 0.1
RETRY_SECONDS = 1.0


class Worker:
    """Answers by the roster's version; by its shadow for a share of the requests, and aside for the others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = settings.read(folder)
        self.metrics = metrics.get()
        self.recorder = self._recorder() if self.settings.journal else None
        self.roster = roster.wait(folder)
        self.main = self._engine(self.roster.main)
        self.shadow = self._engine(self.roster.shadow) if self.roster.shadow else None
        self._aside: set[asyncio.Task[None]] = set()

    def _recorder(self) -> Recorder:
        options = self.settings
        return Recorder(Path(options.journal), options.sample, self.metrics, options.limits.deadline_seconds)

    def _engine(self, served: Served) -> Engine:
        limits = self.settings.limits
        return Engine(load(served), limits.waiting_texts, limits.deadline_seconds, self.recorder)

    async def answer(
        self, texts: Sequence[str], request_id: str, explain: bool = False, canary: bool = True, record: bool = True
    ) -> Result:
        """Answer texts; without `canary` by the roster's version alone, without `record` not for the journal.

        Raises OverloadedError if they would wait too long, and TimeoutError if they did.
        """
        shadow, note = self.shadow, Note(request_id, "serve") if record else None
        if shadow and canary and is_canary(request_id, self.settings.canary_share):
            result = await shadow.answer(texts, explain, note)
        else:
            result = await self.main.answer(texts, explain, note)
            if shadow and record:
                self._answer_aside(shadow, texts, request_id, result)
        version = result.model.served.version or result.model.served.digest
        self.metrics.count_answers(version, result.model.bundle.labels, result.probabilities)
        return result

    def _answer_aside(self, shadow: Engine, texts: Sequence[str], request_id: str, result: Result) -> None:
        if shadow.waiting:
            self.metrics.shadow_dropped.inc(len(texts))
            return
        task = asyncio.create_task(self._compare(shadow, texts, request_id, result))
        self._aside.add(task)  # the loop holds only a weak reference
        task.add_done_callback(self._aside.discard)

    async def _compare(self, shadow: Engine, texts: Sequence[str], request_id: str, result: Result) -> None:
        began = time.perf_counter()
        try:
            aside = await shadow.answer(texts, note=Note(request_id, "shadow"))
        except (OverloadedError, TimeoutError):
            self.metrics.shadow_dropped.inc(len(texts))
            return
        milliseconds = round((time.perf_counter() - began) * 1000, 3)
        for ours, theirs in zip(result.probabilities, aside.probabilities, strict=True):
            labels = [result.model.bundle.labels[ours.argmax()], aside.model.bundle.labels[theirs.argmax()]]
            self.metrics.shadow.labels(str(labels[0] == labels[1]).lower()).inc()
            log.write(
                "shadow",
                agreed=labels[0] == labels[1],
                labels=labels,
                confidences=[round(float(ours.max()), 4), round(float(theirs.max()), 4)],
                versions=[result.model.served.version, aside.model.served.version],
                milliseconds=milliseconds,
            )

    async def write_feedback(self, text: str, label: str, result: Result, who: str) -> Feedback:
        """Write a correction down and return it; raises RequestError if there is no such label (422)."""
        labels = result.model.bundle.labels
        if label not in labels:
            raise RequestError(422, f"label: {label!r} is none of {', '.join(labels)}")
        predicted, digest = labels[result.probabilities[0].argmax()], result.model.served.digest
        record = Feedback(text, label, predicted, digest, feedback.now(), who, "volunteered")
        try:
            await asyncio.to_thread(feedback.append, Path(self.settings.feedback), record)
        except OSError as error:
            log.write_error("feedback not written", error)
            raise RequestError(503, f"the correction was not written: {error.strerror or 'no space'}", 10) from None
        self.metrics.corrections.inc()
        return record

    async def watch(self) -> None:
        """Follow the roster until the process ends; end it if the parent is gone."""
        parent, stamp, fault = os.getppid(), (0, 0), ""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)
                return
            self.metrics.waiting.set(self.main.waiting + (self.shadow.waiting if self.shadow else 0))
            try:
                if (new := roster.stamp(self.folder)) != stamp:
                    await self._follow(roster.read(self.folder))
                    stamp = new
            except Exception as error:  # noqa: BLE001  # the last good version answers; it is tried again
                if repr(error) != fault:
                    log.write_error("swap failed", error)
                fault = repr(error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, new: Roster) -> None:
        if new.main != (before := self.main.model.served):
            self.main.model = await asyncio.to_thread(load, new.main)
            self.metrics.swaps.inc()
            log.write("swap", before=before.speaker(), now=new.main.speaker())
        if new.shadow is None:
            self.shadow = None
        elif self.shadow is None:
            self.shadow = await asyncio.to_thread(self._engine, new.shadow)
        elif new.shadow != self.shadow.model.served:
            self.shadow.model = await asyncio.to_thread(load, new.shadow)
        self.metrics.unreachable.set(bool(new.unreachable_since))
        self.metrics.refused.inc(len(new.refused.keys() - self.roster.refused.keys()))
        self.roster = new


def load(served: Served) -> Model:
    """Load a version's bundle; raises RuntimeError if its files are not those that the parent checked."""
    if (digest := hashing.dvc_hash(Path(served.folder))) != served.digest:
        raise RuntimeError(f"{served.folder} has the hash {digest}; expected {served.digest}")
    return Model.load(served)


def is_canary(request_id: str, share: float) -> bool:
    """Whether a request belongs to the share that the canary answers; the same request always does."""
    return share > 0 and int.from_bytes(hashlib.sha256(request_id.encode()).digest()[:8]) < share * 2**64
