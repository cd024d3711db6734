"""What words add to a prediction: for a linear classifier exactly, in any language, whatever the text."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from families import LINEAR, SHARED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazette.core.bundle import Bundle
from gazette.training.explanation.explain import MAX_PARTS, Explainer

pytestmark = pytest.mark.slow
TEXTS = {
    "en": ["the team won the match", "the coach left the team", "shares of the bank fell", "the bank cut its forecast"],
    "zh": ["球队赢得了比赛", "教练离开了球队", "银行股价下跌", "央行下调了存款准备金率"],
}
WORDS = ["team", "bank", "球队", "央行", ",", "the", "👨\u200d👩\u200d👧", "\n"]
HOSTILE = ["", " \n\t", "\u0000", "\u202e\ufffe", "👨‍👩‍👧 team", "bank " * 200, "e\u0301quipe", "team team bank"]


def make(folder: Path, language: str, **changes: Any) -> Explainer:
    """Train and export a linear classifier."""
    from gazette.training.export import candidate
    from gazette.training.networks import learn, runtime

    runtime.configure_tensorflow(SHARED.seed, SHARED.threads, SHARED.onednn)
    split = learn.Split(TEXTS[language] * 5, np.array([0, 0, 1, 1] * 5), 2)
    learned = learn.train_candidate(LINEAR | changes, "here", split, split, seed=1)
    corpus = SimpleNamespace(labels=["sport", "trade"], language=language)
    candidate.write_bundle(folder, learned, corpus)  # type: ignore[arg-type]
    return Explainer(Bundle(folder, threads=1), folder)


@pytest.fixture(scope="module")
def explainers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Explainer]:
    box = tmp_path_factory.mktemp("bundles")
    return {
        "words": make(box / "words", "en"),
        "trigrams": make(box / "trigrams", "en", ngrams=3),
        "pieces": make(box / "pieces", "en", subword_vocabulary=40),
        "characters": make(box / "characters", "zh", tokens="characters"),
        "chinese pieces": make(box / "chinese", "zh", tokens="characters", subword_vocabulary=40),
    }


def check_sum(explainer: Explainer, text: str) -> None:
    explanation = explainer.explain(text)
    logs = np.log(explainer.bundle.probabilities([text])[0].astype(np.float64))
    parts = np.sum([part.scores for part in explanation.parts] or [[0.0, 0.0]], axis=0)
    assert explanation.exact
    assert np.allclose(parts + explanation.bias, logs - logs.mean(), atol=1e-4), text
    for part in explanation.parts + explanation.words:
        assert 0 <= part.start <= part.end <= len(text) and np.isfinite(part.scores).all()


@pytest.mark.parametrize("kind", ["words", "trigrams", "pieces", "characters", "chinese pieces"])
def test_the_parts_and_the_bias_sum_to_the_log_odds(explainers: dict[str, Explainer], kind: str) -> None:
    explainer = explainers[kind]
    assert (explainer.bundle.tokenizers.keys() > {"inputs"}) == ("pieces" in kind)

    @settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.text() | st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join))
    def check(text: str) -> None:
        check_sum(explainer, text)

    check()
    for text in [*TEXTS["en"], *TEXTS["zh"], *HOSTILE]:
        check_sum(explainer, text)


def words(explainer: Explainer, text: str) -> list[tuple[str, float]]:
    return [(text[part.start : part.end], part.scores[0]) for part in explainer.explain(text).words]


@pytest.mark.parametrize("kind", ["words", "pieces"])
def test_words_are_those_that_a_reader_sees(explainers: dict[str, Explainer], kind: str) -> None:
    scores = dict(words(explainers[kind], "👍 e\u0301 team won"))  # no more tokens than a text of the training had
    assert scores["team"] > 0.1 and scores["won"] > 0.1
    scores = dict(words(explainers[kind], "\u00c9, shares! bank"))
    assert scores["shares"] < -0.1 and scores["bank"] < -0.1


def test_chinese_characters_count_each_where_they_stand(explainers: dict[str, Explainer]) -> None:
    scores = dict(words(explainers["characters"], "央行和球队"))
    assert scores["央"] < 0 < scores["队"] and all(len(word) == 1 for word in scores)


def test_another_classifier_is_explained_by_leaving_words_out(bundle: Path) -> None:
    explainer = Explainer(Bundle(bundle, threads=1), bundle)
    text = "a goal, the bank: goal"
    explanation = explainer.explain(text)
    scores = [(text[part.start : part.end], part.scores[0]) for part in explanation.words]
    assert not explanation.exact and [word for word, score in scores if score > 0.5] == ["goal", "goal"]
    assert min(scores, key=lambda pair: pair[1])[0] == "bank"
    assert explainer.explain("").words == []


def test_neighbors_of_a_long_text_are_left_out_together(bundle: Path) -> None:
    explainer, text = Explainer(Bundle(bundle, threads=1), bundle), "goal " * 1000
    for most in (MAX_PARTS, 64):
        groups = [text[part.start : part.end] for part in explainer.explain(text, most).words]
        assert len(groups) <= most and sum(group.count("goal") for group in groups) == 1000
        assert len(explainer.explain("goal " * most, most).words) == most


def test_leaving_out_ends_soon_after_its_deadline(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    explainer = Explainer(Bundle(bundle, threads=1), bundle)
    sizes: list[int] = []
    real = explainer.bundle.probabilities

    def slow(texts: list[str]) -> object:
        time.sleep(0.01)
        sizes.append(len(texts))
        return real(texts)

    monkeypatch.setattr(explainer.bundle, "probabilities", slow)
    with pytest.raises(TimeoutError):
        explainer.explain("goal " * 1000, deadline=time.monotonic() + 0.035)
    assert 1 <= len(sizes) < 10 and max(sizes) == 2


def test_of_a_long_text_only_what_the_classifier_reads_is_left_out(bundle: Path) -> None:
    classifier = Bundle(bundle, threads=1)
    for tokenizer in classifier.tokenizers.values():
        tokenizer.enable_truncation(4)
    sizes: list[int] = []
    real = classifier.probabilities
    classifier.probabilities = lambda texts: sizes.extend(map(len, texts)) or real(texts)  # type: ignore[method-assign]
    assert len(Explainer(classifier, bundle).explain("goal " * 10_000).words) == 4 and max(sizes) < 30
