import importlib
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gazette.core import bundle as bundles
from gazette.core import token_ids
from gazette.core.bundle import BATCH, Bundle


def test_probabilities_come_in_the_order_of_texts_and_labels(bundle: Path) -> None:
    classifier = Bundle(bundle)
    assert classifier.labels == ["sport", "trade"]
    assert (classifier.probabilities(["goal goal", "bank"]).argmax(axis=1) == [0, 1]).all()


def test_a_texts_answer_does_not_depend_on_its_neighbours(bundle: Path) -> None:
    texts = ["goal " * (number % 40) + "bank" for number in range(2 * BATCH + 5)]
    random.Random(1).shuffle(texts)
    classifier = Bundle(bundle, threads=1)
    together = classifier.probabilities(texts)
    alone = np.concatenate([classifier.probabilities([text]) for text in texts[:20]])
    np.testing.assert_allclose(together[:20], alone, atol=1e-6)


def test_a_text_without_words_and_no_text_at_all_are_answered(bundle: Path) -> None:
    classifier = Bundle(bundle)
    assert classifier.probabilities([""]).shape == (1, 2)
    assert classifier.probabilities([]).shape == (0, 2)


def test_long_texts_run_few_at_a_time_and_get_the_same_answers(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = Bundle(bundle, threads=1)
    texts = ["goal " * 7, "bank " * 9, "goal", "bank bank"] * 5
    before = classifier.probabilities(texts)
    monkeypatch.setattr(bundles, "TOKENS", 12)
    seen: list[tuple[int, ...]] = []

    class Watched:
        def run(self, outputs: None, inputs: dict[str, np.ndarray]) -> Any:
            seen.extend(ids.shape for ids in inputs.values())
            return session.run(outputs, inputs)

    session, classifier.session = classifier.session, Watched()
    np.testing.assert_allclose(classifier.probabilities(texts), before, atol=1e-6)
    assert all(count == 1 or count * length <= 12 for count, length in seen)
    assert sum(count for count, _ in seen) == len(texts) < 12 + len(seen)


def test_a_registered_version_answers_from_its_two_files_without_gazette(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["goal bank", "Bank!"]
    before = Bundle(bundle).probabilities(texts)
    for module in (bundles, token_ids):
        shutil.copy(str(module.__file__), tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "gazette", None)
    for name in ("bundle", "token_ids"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    shipped = importlib.import_module("bundle")
    assert (shipped.Bundle(bundle).probabilities(texts) == before).all()
    assert shipped.Encoder.__module__ == "token_ids"
    for name in ("bundle", "token_ids"):
        monkeypatch.delitem(sys.modules, name)
