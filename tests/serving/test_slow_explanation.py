"""Explanations that take long: the label comes in time, and no other request waits."""

import asyncio
import threading
import time
from pathlib import Path

from workers import make_worker, served_by

from gazette.core.bundle import Bundle
from gazette.serving.online.settings import Limits
from gazette.serving.online.worker import Worker
from gazette.training.explanation.explain import Explainer, Explanation

LONG = "goal at the bank " * 500


class SlowExplainer(Explainer):
    """As a network's: each text that is classified for an explanation takes 20 ms."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Bundle(folder, threads=1), folder)
        real = self.bundle.probabilities
        self.bundle.probabilities = lambda texts: time.sleep(0.02 * len(texts)) or real(texts)  # type: ignore


class BlockedExplainer(Explainer):
    """It waits until it is released."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Bundle(folder, threads=1), folder)
        self.began, self.released = threading.Event(), threading.Event()

    def explain(self, text: str, max_parts: int = 64, deadline: float = 0.0) -> Explanation:
        self.began.set()
        assert self.released.wait(10)
        return super().explain(text, max_parts, deadline)


def test_another_request_is_answered_while_an_explanation_is_under_way(worker: Worker, bundle: Path) -> None:
    worker.main.model.explainer = explainer = BlockedExplainer(bundle)

    async def ask() -> None:
        explained = asyncio.create_task(worker.main.answer(["goal"], explain=True))
        await asyncio.to_thread(explainer.began.wait, 10)
        for _ in range(3):
            await worker.main.answer(["bank"])
        assert not explained.done()
        explainer.released.set()
        (explanation,) = (await explained).explanations
        assert explanation and len(explanation.words) == 1

    asyncio.run(ask())


def test_a_long_article_gets_its_label_within_the_deadline_and_what_explanations_are_ready(
    tmp_path: Path, bundle: Path
) -> None:
    worker = make_worker(tmp_path, bundle, limits=Limits(deadline_seconds=0.8))
    worker.main.model.explainer = SlowExplainer(bundle)
    with served_by(worker) as client:
        client.post("/v1/predict", json={"texts": ["warm"]})
        began = time.monotonic()
        answer = client.post("/v1/predict", json={"texts": ["goal", LONG, "bank"], "explain": True})
        assert time.monotonic() - began < 0.8 and answer.status_code == 200
        predictions = answer.json()["predictions"]
        assert [prediction["label"] for prediction in predictions] == ["sport", "sport", "trade"]
        assert [bool(prediction["explanation"]) for prediction in predictions] == [True, False, False]
        again = client.post("/v1/predict", json={"texts": ["goal"], "explain": True}).json()  # the long one has ended
        assert again["predictions"][0]["explanation"]


def test_an_explanation_that_breaks_is_the_requests_own_error(worker: Worker, bundle: Path) -> None:
    class Panic(BaseException):
        """As the tokenizers' own, which is no Exception."""

    worker.main.model.explainer = explainer = Explainer(Bundle(bundle, threads=1), bundle)

    def explain(text: str, max_parts: int, deadline: float) -> Explanation:
        raise Panic

    explainer.explain = explain  # type: ignore[assignment, method-assign]

    async def ask() -> list[object]:
        requests = worker.main.answer(["goal"], explain=True), worker.main.answer(["bank"])
        return await asyncio.gather(*requests, return_exceptions=True)

    first, second = asyncio.run(ask())
    assert type(first).__name__ == "InferenceError" and second.model == worker.main.model  # type: ignore[attr-defined]
