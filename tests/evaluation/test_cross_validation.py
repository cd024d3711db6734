"""Folds, and probabilities from networks that did not see the row."""

import random
from typing import Any

import numpy as np
import pytest
from families import LINEAR, SHARED
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc.core.errors import ConfigError

from gazette.evaluation.audit import cross_validation

rows = st.lists(st.tuples(st.text("ab ", max_size=4), st.sampled_from("xyz")), min_size=1, max_size=60)


def dealt(table: list[tuple[str, str]], count: int = 3) -> list[int]:
    """Folds of rows to which every label adds enough texts of its own."""
    more = [(f"{label}{number}", label) for label in "xyz" for number in range(count)]
    keys, labels = zip(*(table + more), strict=True)
    return cross_validation.assign_folds(keys, labels, count).tolist()[: len(table)]


@given(rows)
def test_equal_texts_share_a_fold_whatever_their_labels(table: list[tuple[str, str]]) -> None:
    fold: dict[str, int] = {}
    for (key, _), number in zip(table, dealt(table), strict=True):
        assert fold.setdefault(key, number) == number


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(table: list[tuple[str, str]], shuffle: random.Random) -> None:
    order = shuffle.sample(range(len(table)), len(table))
    assert dealt([table[place] for place in order]) == [dealt(table)[place] for place in order]


@given(st.integers(2, 6), st.integers(6, 40), st.integers(6, 40))
def test_each_class_is_dealt_out_evenly(count: int, first: int, second: int) -> None:
    labels = ["a"] * first + ["b"] * second
    result = cross_validation.assign_folds([str(number) for number in range(first + second)], labels, count)
    for label in "ab":
        sizes = np.bincount(result[np.array(labels) == label], minlength=count)
        assert sizes.max() - sizes.min() <= 1


def test_the_fold_of_a_text_is_the_same_in_every_process() -> None:
    assert cross_validation.assign_folds(["one", "two", "three", "四"], ["a"] * 4, 2).tolist() == [0, 1, 0, 1]


def test_a_class_with_fewer_texts_than_folds_is_named() -> None:
    with pytest.raises(ConfigError, match=r"5 folds .* but 'rare' has 1 "):
        cross_validation.assign_folds(["a", "b", "c", "d", "e", "same", "same"], ["big"] * 5 + ["rare"] * 2, 5)


# Slow: TensorFlow


@pytest.fixture(scope="module")
def corpus() -> tuple[list[str], Any, Any]:
    words = (("goal", "team"), ("bank", "share"))
    texts = [f"the {words[number % 2][number // 2 % 2]} of number {number}" for number in range(60)]
    labels = np.arange(60) % 2
    return texts, labels, cross_validation.assign_folds(texts, [str(label) for label in labels], 3)


def crossed(texts: list[str], labels: Any, fold: Any) -> Any:
    return cross_validation.out_of_fold_probabilities(texts, labels, fold, LINEAR, SHARED)


@pytest.mark.slow
def test_what_the_words_give_away_is_known_of_rows_that_were_not_seen(corpus: tuple[list[str], Any, Any]) -> None:
    result = crossed(*corpus)
    np.testing.assert_allclose(result.sum(axis=1), 1, atol=1e-5)
    assert (result.argmax(axis=1) == corpus[1]).mean() > 0.95


@pytest.mark.slow
def test_nothing_of_a_fold_reaches_its_own_probabilities(corpus: tuple[list[str], Any, Any]) -> None:
    texts, labels, fold = corpus
    result = crossed(texts, labels, fold)
    wrong = np.where(fold == 1, 1 - labels, labels)
    again = crossed(texts, wrong, fold)
    assert np.array_equal(result[fold == 1], again[fold == 1])
    assert not np.array_equal(result[fold != 1], again[fold != 1])


@pytest.mark.slow
def test_numbers_of_another_family_are_refused(corpus: tuple[list[str], Any, Any]) -> None:
    with pytest.raises(ConfigError, match="ngrams"):
        cross_validation.out_of_fold_probabilities(*corpus, {"family": "cnn"}, SHARED)
