"""The inference thread of a worker: it takes whatever waits, up to a batch, and never waits for a batch to fill.

A second thread explains, one text after the other: a slow explanation delays others, but no prediction.
"""

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.core.arrays import Array
from gazette.core.bundle import BATCH, Bundle
from gazette.serving import answers
from gazette.serving.answers import Answers
from gazette.serving.online.failures import InferenceError, OverloadedError
from gazette.serving.online.recorder import Batch, Entry, Note, Recorder
from gazette.serving.online.roster import Served

if TYPE_CHECKING:
    from gazette.training.explanation.explain import Explainer, Explanation

_PARTS = 64  # of a text that are left out in turn, so that an LSTM explains an article within the deadline
_MEMORY = 0.9  # of the running mean of seconds per text, per batch
_HEADROOM = 0.8  # of the deadline that the queue and explanations may fill; a batch may take longer than the mean


@dataclass
class Model:
    """A loaded bundle, and the version that it is. What explains it is made when it is first asked."""

    served: Served
    bundle: Bundle
    explainer: "Explainer | None" = None

    @classmethod
    def load(cls, served: Served) -> "Model":
        """Load a bundle, on one thread: a worker is one core."""
        return cls(served, Bundle(served.folder, threads=1))

    def explain(self, text: str, deadline: float) -> "Explanation":
        """Explain the prediction for a text; raises TimeoutError if it takes longer than to a `time.monotonic()`."""
        from gazette.training.explanation.explain import Explainer

        if self.explainer is None:
            self.explainer = Explainer(self.bundle, Path(self.served.folder))
        try:
            return self.explainer.explain(text, _PARTS, deadline)
        except TimeoutError:
            raise
        except BaseException as error:  # a panic of the tokenizers is no Exception
            raise InferenceError(type(error).__name__) from error


@dataclass(frozen=True)
class Result:
    """The model that answered, its answers, and the explanations that were ready in time."""

    model: Model
    answers: Answers
    explanations: "Sequence[Explanation | None]" = ()

    @property
    def probabilities(self) -> Array:
        """The probabilities, texts × labels."""
        return self.answers.probabilities


@dataclass
class _Job:
    texts: Sequence[str]
    note: Note | None
    began: float
    deadline: float
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Result]" = field(init=False)

    def __post_init__(self) -> None:
        self.future = self.loop.create_future()


class Engine:
    """Answers by one model at a time; `model` may be replaced at any moment, and a batch ends with the one it began."""

    def __init__(
        self, model: Model, waiting_texts: int, deadline_seconds: float, recorder: Recorder | None = None
    ) -> None:
        self.model, self.recorder = model, recorder
        self.waiting_texts, self.deadline_seconds = waiting_texts, deadline_seconds
        self.waiting = 0  # texts
        self.seconds_per_text = 0.0
        self._jobs: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._explaining = ThreadPoolExecutor(1, "explanation")
        threading.Thread(target=self._run, name="inference", daemon=True).start()

    async def answer(self, texts: Sequence[str], explain: bool = False, note: Note | None = None) -> Result:
        """Return the model's answer, and of the explanations, if they are wanted, those that are ready in time.

        With a note the answer is recorded in the journal before.
        Raises OverloadedError if the request would wait too long, and TimeoutError if it did.
        """
        seconds = (self.waiting + len(texts)) * self.seconds_per_text
        if self.waiting + len(texts) > max(self.waiting_texts, len(texts)) or (
            self.waiting and seconds > _HEADROOM * self.deadline_seconds
        ):
            raise OverloadedError(max(1, math.ceil(seconds)))
        began = time.monotonic()
        job = _Job(texts, note, began, began + self.deadline_seconds, asyncio.get_running_loop())
        with self._wake:
            self._jobs.append(job)
            self.waiting += len(texts)
            self._wake.notify()
        async with asyncio.timeout(self.deadline_seconds):
            result = await job.future
        return await self._explain(result, texts, began + _HEADROOM * self.deadline_seconds) if explain else result

    async def _explain(self, result: Result, texts: Sequence[str], deadline: float) -> Result:
        explanations: list[Explanation | None] = [None] * len(texts)
        run = asyncio.get_running_loop().run_in_executor
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline - time.monotonic()):
                for place, text in enumerate(texts):
                    explanations[place] = await run(self._explaining, result.model.explain, text, deadline)
        return replace(result, explanations=explanations)

    def _run(self) -> None:
        while True:
            jobs, model = self._take(), self.model
            alive = [job for job in jobs if job.deadline > time.monotonic() and not job.future.done()]
            results = self._answer(model, alive)
            with self._wake:
                self.waiting -= sum(len(job.texts) for job in jobs)
            if alive:
                self._deliver(alive, results)

    def _deliver(self, jobs: list[_Job], results: list[Result | BaseException]) -> None:
        send, now = partial(jobs[0].loop.call_soon_threadsafe, _resolve, jobs, results), time.monotonic()
        entries = [
            Entry(job.note, result, job.texts, 1000 * (now - job.began))
            for job, result in zip(jobs, results, strict=True)
            if job.note and job.texts and isinstance(result, Result)
        ]
        if self.recorder and entries:
            self.recorder.record(Batch(entries, send))
        else:
            send()

    def _answer(self, model: Model, jobs: list[_Job]) -> list[Result | BaseException]:
        try:
            return list(self._compute(model, jobs))
        except BaseException as error:  # noqa: BLE001  # a panic of the tokenizers is no Exception; the thread goes on
            if len(jobs) == 1:
                return [error]
            return [self._answer(model, [job])[0] for job in jobs]  # the others are not to blame

    def _take(self) -> list[_Job]:
        with self._wake:
            self._wake.wait_for(lambda: self._jobs)
            jobs = [self._jobs.popleft()]
            texts = len(jobs[0].texts)
            while self._jobs and texts + len(self._jobs[0].texts) <= BATCH:
                jobs.append(self._jobs.popleft())
                texts += len(jobs[-1].texts)
            return jobs

    def _compute(self, model: Model, jobs: list[_Job]) -> list[Result]:
        began = time.perf_counter()
        texts = [text for job in jobs for text in job.texts]
        if not jobs:
            return []
        parts = answers.answer(model.bundle, texts).split([len(job.texts) for job in jobs])
        seconds = (time.perf_counter() - began) / max(1, len(texts))
        self.seconds_per_text = _MEMORY * (self.seconds_per_text or seconds) + (1 - _MEMORY) * seconds
        return [Result(model, part) for part in parts]


def _resolve(jobs: list[_Job], results: list[Result | BaseException]) -> None:
    for job, result in zip(jobs, results, strict=True):
        if job.future.done():
            continue
        if isinstance(result, Result):
            job.future.set_result(result)
        else:
            error = InferenceError(type(result).__name__)
            error.__cause__ = result
            job.future.set_exception(error)
