"""The domain classifier: the words that tell two sides apart, and 0.5 where nothing does."""

import numpy as np

from gazette.training.explanation import domain

COMMON = [f"word{number}" for number in range(30)]


def texts(seed: int, extra: str = "", share: float = 0.0) -> list[list[str]]:
    draw = np.random.default_rng(seed)
    rows = [list(draw.choice(COMMON, 8)) for _ in range(300)]
    return [[*row, extra] if draw.random() < share else row for row in rows]


def test_a_new_word_is_first_with_its_shares() -> None:
    difference = domain.compare(texts(1), texts(2, "covid", 0.5), 5, 7)
    assert difference
    assert difference.auc > 0.65
    first = difference.words[0]
    assert (first["word"], first["before"]) == ("covid", 0)
    assert first["weight"] > 0
    assert 0.4 < first["after"] < 0.6


def test_equal_sides_are_told_apart_by_chance_alone() -> None:
    difference = domain.compare(texts(3), texts(4), 5, 7)
    assert difference
    assert 0.42 < difference.auc < 0.58


def test_few_texts_are_not_compared() -> None:
    assert domain.compare(texts(1)[: domain.MIN_TEXTS - 1], texts(2), 5, 7) is None
    assert domain.compare([[]] * 60, [[]] * 60, 5, 7) is None
