"""Near texts find each other, strangers never do, and no corpus makes it slow."""

import os
import random
import subprocess
import sys
from math import sqrt
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.data.validation import minhash, near_duplicates

LETTERS = {"en": "abcdefghijklmnopqrstuvwxyz", "zh": "".join(map(chr, range(0x4E00, 0x4E00 + 2000)))}
LENGTH = {"en": 60, "zh": 19}  # characters of which one may change at 0.8: (60 - 5) / (60 + 5), (19 - 2) / (19 + 2)
words = st.lists(st.sampled_from(["shares", "fell", "rose", "after", "the", "forecast", "5", "%", "oil"]), max_size=20)


def groups(*keys: str, similarity: float = 0.8, language: str = "en") -> list[int]:
    return near_duplicates.group_near_duplicates(pl.Series(keys, dtype=pl.String), similarity, language).to_list()


def invented(shuffle: random.Random, language: str, length: int) -> str:
    return "".join(shuffle.choices(LETTERS[language], k=length))


def with_a_change(shuffle: random.Random, text: str, language: str) -> str:
    place = shuffle.randrange(len(text))
    return text[:place] + shuffle.choice(LETTERS[language]) + text[place + 1 :]


def jaccard(first: str, second: str, n: int) -> float:
    a, b = (
        {padded[i : i + n] for i in range(len(padded) - n + 1)}
        for padded in (t + " " * (n - 1) for t in (first, second))
    )
    return len(a & b) / len(a | b)


# What is near


def test_equal_texts_are_one_group_named_after_its_first_row() -> None:
    assert groups("oil fell", "shares rose", "oil fell", "war", "shares rose", "oil fell") == [0, 1, 0, 3, 1, 0]


@pytest.mark.parametrize(
    ("language", "texts"), [("en", ["u.s. oil fell", "us oil, fell!"]), ("zh", ["油 价 ,下 跌", "油价下跌"])]
)
def test_texts_that_differ_in_space_and_punctuation_are_one_group(language: str, texts: list[str]) -> None:
    assert groups("another", *texts, language=language) == [0, 1, 1]


def test_texts_without_a_letter_are_near_only_if_they_are_equal() -> None:
    assert groups("!!!", "", "???", "", "!!!", "a") == [0, 1, 2, 1, 0, 5]


def test_texts_shorter_than_a_shingle_are_compared_too() -> None:
    assert groups("a", "ab", "b", "a", "ab") == [0, 1, 2, 0, 1]


def test_one_more_figure_in_a_story_keeps_it_near() -> None:
    story = "oil prices rose modestly on wednesday, halting a three-day losing streak near {} a barrel"
    assert groups(story.format("$50"), story.format("$150"), "stocks were mixed in light trading on tuesday") == [
        0,
        0,
        2,
    ]


def test_a_chain_of_near_texts_is_one_group() -> None:
    texts = [LETTERS["zh"][start : start + 40] for start in range(0, 20, 4)]
    assert jaccard(texts[0], texts[-1], 2) < 0.7 < jaccard(texts[0], texts[1], 2)
    assert groups(*texts, similarity=0.7, language="zh") == [0] * 5


def test_no_row_has_no_group() -> None:
    assert groups() == []


@given(words, words, st.sampled_from([0.5, 0.7, 0.8, 1.0]), st.sampled_from(["en", "zh"]))
def test_two_texts_are_near_just_when_their_shingles_are(
    first: list[str], second: list[str], similarity: float, language: str
) -> None:
    loose = ["".join(text).replace("%", "") for text in (first, second)]
    if all(loose):
        near = jaccard(*loose, minhash.SHINGLE_LENGTH.get(language, minhash.OTHER_LENGTH)) >= similarity
        assert groups(" ".join(first), " ".join(second), similarity=similarity, language=language) == [0, 1 - near]


# How surely


@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_changed_character_is_found_as_surely_as_promised(language: str) -> None:
    shuffle, pairs = random.Random(5), 2000
    texts = [invented(shuffle, language, LENGTH[language]) for _ in range(pairs)]
    labels = groups(*texts, *(with_a_change(shuffle, text, language) for text in texts), language=language)
    share = sum(labels[row] == labels[pairs + row] for row in range(pairs)) / pairs
    assert share >= minhash.RECALL - 4 * sqrt(minhash.RECALL * (1 - minhash.RECALL) / pairs)
    assert labels[:pairs] == list(range(pairs))


@pytest.mark.parametrize("similarity", [0.5, 0.6, 0.7, 0.8, 0.9, 0.99])
def test_bands_are_the_longest_that_keep_the_promise(similarity: float) -> None:
    def recall(count: int, length: int) -> float:
        return float(1 - (1 - similarity**length) ** count)

    count, length = minhash.lsh_bands(similarity)
    assert recall(count, length) >= minhash.RECALL > recall(minhash.ORDERS // (length + 1), length + 1)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_two_texts_have_a_bucket_in_common_as_often_as_they_are_similar(share: float) -> None:
    shuffle, pairs, size = random.Random(1), 300, 200
    lines = ["".join(shuffle.sample(LETTERS["zh"], 2 * size)) for _ in range(pairs)]
    start = round(size * (1 - share))
    texts = pl.Series([line[begin : begin + size] for line in lines for begin in (0, start)])
    buckets = np.array(minhash.hash_bands(texts, 0.5, 2, lambda texts: texts)[0])
    _, length = minhash.lsh_bands(0.5)
    expected = jaccard(texts[0], texts[1], 2) ** length
    assert np.mean(buckets[:, ::2] == buckets[:, 1::2]) == pytest.approx(expected, abs=0.02)


# The same everywhere


@given(st.permutations(range(12)))
def test_the_order_of_rows_changes_no_group(order: list[int]) -> None:
    shuffle = random.Random(2)
    stories = [invented(shuffle, "en", 60) for _ in range(6)]
    texts = stories + [with_a_change(shuffle, text, "en") for text in stories]
    labels = groups(*(texts[row] for row in order))
    assert all(labels[order.index(row)] == labels[order.index(row + 6)] for row in range(6))
    assert len(set(labels)) == 6


def test_groups_are_the_same_in_every_process() -> None:
    script = (
        "import polars as pl; from gazette.data.validation import near_duplicates;"
        "keys = pl.Series([f'story {n % 900} of day {n % 37}' for n in range(4000)]);"
        "print(near_duplicates.group_near_duplicates(keys, 0.8, 'en').to_list())"
    )
    printed = {
        subprocess.check_output(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed, "POLARS_MAX_THREADS": threads}
        )
        for seed, threads in (("1", "1"), ("2", "4"))
    }
    assert len(printed) == 1


# What would make it slow


def test_boilerplate_costs_no_more_than_some_comparisons_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    shuffle, rows, compared = random.Random(3), 2000, []
    near = minhash.are_near

    def counting(texts: pl.Series, left: Any, *rest: Any) -> Any:
        compared.append(len(left))
        return near(texts, left, *rest)

    monkeypatch.setattr(minhash, "are_near", counting)
    shared = invented(shuffle, "en", 300)
    own = [invented(shuffle, "en", 60) for _ in range(rows)]
    labels = groups(*(shared + text for text in own), shared + own[0][:-1])
    assert labels == [*range(rows), 0]
    assert rows < sum(compared) < 20 * rows  # 34 for each row, if none lost patience


def test_a_large_group_is_found_whole() -> None:
    assert set(groups(*(f"breaking news for all our readers in the country, number {n}" for n in range(5000)))) == {0}


def test_long_texts_are_compared_like_short_ones() -> None:
    shuffle = random.Random(4)
    texts = [invented(shuffle, "zh", 100_000) for _ in range(4)]
    assert groups(*texts, *(text[1:] for text in texts), language="zh") == [0, 1, 2, 3, 0, 1, 2, 3]


@pytest.mark.parametrize("block", [1, 7, 100])
def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    story = "shares of the company fell after its forecast for {} disappointed on monday"
    monkeypatch.setattr(minhash, "BLOCK_CHARACTERS", block)
    assert groups("a", story.format("may"), "", story.format("mai"), "b", "a") == [0, 1, 2, 1, 4, 0]
