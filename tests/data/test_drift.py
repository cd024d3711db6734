"""How far a split is from train: about 0 for one drawn at random, far for another subject."""

import random
from math import log2, sqrt
from typing import Any

import polars as pl
import pytest

from gazette.data.validation import drift

SPORT = ["goal", "team", "cup", "match", "player", "win", "league", "coach", "score", "season"]
TRADE = ["share", "price", "bank", "profit", "market", "firm", "rate", "deal", "oil", "sale"]
COMMON = ["the", "of", "to", "in", "a", "and", "on", "for", "said", "with"]


def rows(split: str, count: int, sport: float = 0.5, seed: int = 0, length: int = 30) -> list[dict[str, Any]]:
    """Articles of which a share is of sport, each a draw of its class's words and of common ones."""
    chance = random.Random(f"{split} {seed}")
    result = []
    for number in range(count):
        label = "sport" if number < sport * count else "trade"
        words = chance.choices({"sport": SPORT, "trade": TRADE}[label] + COMMON, k=chance.randint(length // 2, length))
        result.append({"text": " ".join(words), "label": label, "split": split})
    return result


def between(*parts: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    articles = pl.DataFrame([row for part in parts for row in part])
    lengths = articles.group_by("split", characters=pl.col("text").str.len_chars()).agg(rows=pl.len())
    classes = articles.group_by("split", "label").agg(rows=pl.len())
    return {row.pop("split"): row for row in drift.measure_drift(lengths, classes, articles).to_dicts()}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [50, 200, 2000])
def test_a_split_drawn_at_random_is_near_whatever_its_size(count: int, seed: int) -> None:
    near = between(rows("train", 2000, seed=seed), rows("test", count, seed=seed))["test"]
    assert near["classes"] == 0
    assert near["lengths"] < 2 / count**0.5
    assert near["vocabulary"] < 0.06


@pytest.mark.parametrize("count", [50, 200, 2000])
def test_a_split_of_one_class_is_as_far_whatever_its_size(count: int) -> None:
    far = between(rows("train", 2000), rows("test", count, sport=1))["test"]
    assert 0.5 < far["classes"] < 0.6
    assert 0.35 < far["vocabulary"] < 0.45


def test_splits_without_a_common_class_or_word_are_1_apart() -> None:
    train = [{"text": "goal cup win", "label": "sport", "split": "train"}] * 20
    test = [{"text": "oil", "label": "trade", "split": "test"}] * 20
    assert between(train, test) == {"test": {"classes": 1, "lengths": 1, "vocabulary": 1}}


def test_longer_texts_are_far_in_length_alone() -> None:
    far = between(rows("train", 1000), rows("test", 1000, length=60))["test"]
    assert far["lengths"] > 0.9
    assert far["vocabulary"] < 0.06


def test_chinese_is_counted_by_character() -> None:
    train = [{"text": f"球赛 {'进攻' * (n % 5)}", "label": "a", "split": "train"} for n in range(100)]
    test = [{"text": f"赛球 {'攻进' * (n % 5)}", "label": "a", "split": "test"} for n in range(100)]
    assert between(train, test)["test"]["vocabulary"] < 0.05


def test_classes_in_turn_do_not_hide_a_drift() -> None:
    pairs = zip(rows("train", 500, sport=1), rows("train", 500, sport=0), strict=True)
    train = [row for pair in pairs for row in pair]
    assert between(train, rows("test", 500, sport=1))["test"]["vocabulary"] > 0.35


def test_each_split_that_is_there_has_a_row() -> None:
    assert list(between(rows("train", 20), rows("test", 20), rows("valid", 20))) == ["valid", "test"]
    assert between(rows("train", 20)) == {}


@pytest.mark.parametrize("train", [0, 1])
def test_nothing_is_said_without_anything_to_compare_with(train: int) -> None:
    assert between(rows("train", train), rows("test", 20)) == {}


@pytest.mark.parametrize(("train", "test"), [(2, 1), (2, 50), (3, 2)])
def test_a_handful_of_rows_is_measured_too(train: int, test: int) -> None:
    result = between(rows("train", train), rows("test", test))["test"]
    assert all(0 <= distance <= 1 for distance in result.values())


def test_the_same_articles_are_the_same_distance_every_time() -> None:
    parts = rows("train", 300), rows("test", 100, sport=0.7)
    assert between(*parts) == between(*parts)


def articles(split: str, *texts: str, label: str = "a") -> list[dict[str, Any]]:
    return [{"text": text, "label": label, "split": split} for text in texts]


@pytest.mark.parametrize("count", [2, 3, 7, 20])
def test_a_new_word_is_the_less_of_a_surprise_the_more_different_ones_train_has(count: int) -> None:
    """Parts of train are 1 apart, too: the rest is 1 − (1/n + 1) / (1 + 1/(n − 1)) = 1/n²."""
    train = articles("train", *(f"word{number}" for number in range(count)))
    assert between(train, articles("test", "new"))["test"]["vocabulary"] == round(1 / count, 6)


def test_of_a_larger_split_a_part_of_train_is_as_large() -> None:
    train = articles("train", "oil", "goal", "vote", "song")
    far = between(train, articles("test", "new", "other"))["test"]
    assert far["vocabulary"] == 0.5  # 1 − (1/4 + 1/2) / (1/2 + 1/2) = 1/4


def test_distances_of_a_case_worked_by_hand() -> None:
    train = articles("train", "a b", "a b", "a b") + articles("train", "a b", label="b")
    test = articles("test", "a cc", "A cc", label="b")
    assert between(train, test)["test"] == {
        "classes": round(sqrt((0.75 + 0.25 * log2(0.4) + log2(1.6)) / 2), 6),  # (3/4, 1/4) and (0, 1)
        "lengths": 1,
        "vocabulary": round(sqrt(0.5), 6),  # halves of a and b, of a and another: what differs is 1/2
    }
    train, test = articles("train", "a", "aa", "aaa", "aaaa"), articles("test", "aaa", "aaaa")
    assert between(train, test)["test"]["lengths"] == 0.5


def test_the_shares_of_three_classes_are_compared_class_by_class() -> None:
    train = articles("train", "x", "x") + articles("train", "x", label="b") + articles("train", "x", label="c")
    test = articles("test", "x") + articles("test", "x", "x", "x", label="b")
    middle = (3 / 8, 1 / 2, 1 / 8)
    divergence = sum(
        p * log2(p / m)
        for shares in ((1 / 2, 1 / 4, 1 / 4), (1 / 4, 3 / 4, 0))
        for p, m in zip(shares, middle, strict=True)
        if p
    )
    assert between(train, test)["test"]["classes"] == round(sqrt(divergence / 2), 6)


def test_the_thousand_most_frequent_words_are_told_apart_and_the_rest_is_one() -> None:
    words = [f"w{number:04}" for number in range(1, 1002)]
    train = articles("train", *[" ".join(words)] * 2)
    last, first_of_the_rest = (
        between(train, articles("test", f"{word} new"))["test"]["vocabulary"] for word in ("w1000", "w1001")
    )
    assert first_of_the_rest > last > 0.9
    frequent = articles("train", *[" ".join([*words, "w1001"])] * 2)
    assert between(frequent, articles("test", "w1001 new"))["test"]["vocabulary"] < first_of_the_rest
    assert between(frequent, articles("test", "w1000 new"))["test"]["vocabulary"] > last


def test_a_large_corpus_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = rows("train", 600), rows("test", 300, sport=1)
    whole = between(*parts)["test"]
    monkeypatch.setattr(drift, "MAX_ROWS_SAMPLED", 200)
    sampled = between(*parts)["test"]
    assert sampled["vocabulary"] != whole["vocabulary"] == pytest.approx(sampled["vocabulary"], abs=0.05)
    assert (sampled["classes"], sampled["lengths"]) == (whole["classes"], whole["lengths"])


def test_a_corpus_that_did_not_change_keeps_its_distances() -> None:
    parts = rows("train", 300), rows("valid", 50, sport=0.8), rows("test", 100, sport=0.7)
    assert between(*parts) == {
        "valid": {"classes": 0.270378, "lengths": 0.063333, "vocabulary": 0.199785},
        "test": {"classes": 0.174084, "lengths": 0.106667, "vocabulary": 0.116514},
    }
