"""Which phrases give a class away, and which belong to its subject."""

import random
from collections.abc import Callable

import polars as pl
import pytest

from gazette.data.validation import leakage

Table = Callable[..., pl.DataFrame]
WORDS = [
    f"{first}{second}"
    for first in ("oil", "vote", "bank", "court", "phone")
    for second in ("man", "deal", "day", "rule")
]


def body(number: int) -> str:
    """Six words, other ones for every number below 8,000, in an order that tells nothing."""
    picked = [number, number // 20, number // 400, number * 7, number * 11 + 3, number * 3 + 1]
    return " ".join(WORDS[place % 20] for place in picked)


def corpus(table: Table, write: Callable[[int, str], str], rows: int = 400) -> pl.DataFrame:
    """As many train rows of a as of b; `write` makes a text of its number and its label."""
    labels = ["a" if number * 2 < rows else "b" for number in range(rows)]
    return table(*((write(number, label), label, "train") for number, label in enumerate(labels)))


def phrases(articles: pl.DataFrame) -> list[tuple[str, str, str]]:
    return leakage.find_leaks(articles, 0.01, 0.8).select("phrase", "place", "label").rows()


def test_a_phrase_that_opens_the_texts_of_one_class_is_found(table: Table) -> None:
    articles = corpus(table, lambda n, label: f"Reuters - {body(n)}" if label == "a" and n % 2 else body(n))
    only = leakage.find_leaks(articles, 0.01, 0.8).to_dicts()
    assert only == [
        {"phrase": "reuters -", "place": "start", "label": "a", "rows": 100, "purity": 1.0, "share_of_class": 0.5}
    ]


def test_a_phrase_that_closes_them_is_found(table: Table) -> None:
    articles = corpus(table, lambda n, label: f"{body(n)} (Canadian Press)" if label == "b" and n % 2 else body(n))
    assert phrases(articles) == [("(canadian press)", "end", "b")]


@pytest.mark.parametrize(("mark", "phrase"), [("【财经】", "【财经】"), ("快讯：", "快讯:"), ("NBA图文-", "nba图文-")])
def test_a_chinese_column_is_found(table: Table, mark: str, phrase: str) -> None:
    chinese = "油赛票芯银球法话价队庭网率杯税戏司迷会用"

    def write(number: int, label: str) -> str:
        plain = "".join(chinese[WORDS.index(word)] for word in body(number).split())
        return mark + plain if label == "a" and number % 2 else plain

    assert phrases(corpus(table, write)) == [(phrase, "start", "a")]


def test_a_title_and_a_description_have_two_starts_and_two_ends(table: Table) -> None:
    articles = corpus(
        table,
        lambda n, label: (
            f"{body(n)} (AP)\nAP - {body(n + 5)}" if label == "a" and n % 2 else f"{body(n)}\n{body(n + 5)}"
        ),
    )
    assert phrases(articles) == [("(ap)", "end", "a"), ("ap -", "start", "a")]


def test_a_phrase_of_both_classes_gives_nothing_away(table: Table) -> None:
    assert phrases(corpus(table, lambda n, _: f"Reuters - {body(n)}" if n % 2 else body(n))) == []


def test_a_phrase_as_pure_as_its_class_is_large_gives_nothing_away(table: Table) -> None:
    chance = random.Random(7)
    texts = [" ".join(chance.choices(WORDS, k=6)) for _ in range(400)]
    rows = [(f"Reuters - {text}" if number % 2 else text, number) for number, text in enumerate(texts)]
    articles = table(*((text, "b" if number % 20 in (0, 1) else "a", "train") for text, number in rows))
    assert phrases(articles) == []


def test_a_phrase_is_found_from_the_purity_that_is_asked_for(table: Table) -> None:
    articles = corpus(
        table, lambda n, label: f"Reuters - {body(n)}" if n % (2 if label == "a" else 5) == 0 else body(n)
    )
    purities = [leakage.find_leaks(articles, 0.01, least)["purity"].to_list() for least in (0.7, 100 / 140, 0.75)]
    assert purities == [[100 / 140], [100 / 140], []]


def test_a_few_rows_of_one_class_are_chance(table: Table) -> None:
    assert phrases(corpus(table, lambda n, label: f"Reuters - {body(n)}" if label == "a" and n < 5 else body(n))) == []


def test_a_subject_that_stands_anywhere_is_no_boilerplate(table: Table) -> None:
    def write(number: int, label: str) -> str:
        words = body(number).split()
        words.insert(number % 7, "iraq")
        return " ".join(words) if label == "a" else body(number)

    assert phrases(corpus(table, write)) == []


def test_the_longest_phrase_stands_for_its_parts(table: Table) -> None:
    articles = corpus(table, lambda n, label: f"Go Digital Today: {body(n)}" if label == "a" and n % 2 else body(n))
    assert phrases(articles) == [("go digital today:", "start", "a")]


def test_a_phrase_with_many_continuations_is_named_itself(table: Table) -> None:
    places = ["London", "Paris", "Rome", "Oslo"]
    articles = corpus(
        table, lambda n, label: f"Update: {places[n // 2 % 4]} {body(n)}" if label == "a" and n % 2 else body(n)
    )
    assert ("update:", "start", "a") in phrases(articles)


@pytest.mark.parametrize("split", ["valid", "test"])
def test_only_what_is_learned_from_is_searched(table: Table, split: str) -> None:
    articles = corpus(table, lambda n, label: f"Reuters - {body(n)}" if label == "a" else body(n))
    assert phrases(articles.with_columns(split=pl.lit(split))) == []


def test_the_order_of_rows_does_not_matter(table: Table) -> None:
    articles = corpus(table, lambda n, label: f"Reuters - {body(n)}" if label == "a" and n % 2 else f"{body(n)}!")
    assert leakage.find_leaks(articles.reverse(), 0.01, 0.8).equals(leakage.find_leaks(articles, 0.01, 0.8))


def test_no_rows_have_no_giveaways(table: Table) -> None:
    none = leakage.find_leaks(table(("one", "a", "train")).clear(), 0.01, 0.8)
    assert none.schema == leakage.find_leaks(corpus(table, lambda n, _: body(n)), 0.01, 0.8).schema
    assert none.is_empty()


def test_parts_change_nothing(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = corpus(table, lambda n, label: f"Reuters - {body(n)}" if label == "a" and n % 2 else body(n))
    whole = leakage.find_leaks(articles, 0.01, 0.8)
    monkeypatch.setattr(leakage, "PART_ROWS", 7)
    assert leakage.find_leaks(articles, 0.01, 0.8).equals(whole)
    assert whole.height


# From when on


def reuters(table: Table, starts: int, elsewhere: int = 0) -> pl.DataFrame:
    """The phrase at the start of the first texts, all of a, and within the last, all of b."""

    def write(number: int, _: str) -> str:
        if number < starts:
            return f"Reuters - {body(number)}"
        return f"{body(number)} Reuters - {body(number + 1)}" if number >= 400 - elsewhere else body(number)

    return corpus(table, write)


def test_a_phrase_of_enough_rows_is_no_chance(table: Table) -> None:
    """Fifteen rows of one class of two have a chance of 2^-15 for each of some three hundred phrases."""
    assert phrases(reuters(table, 14)) == []
    assert phrases(reuters(table, 15)) == [("reuters -", "start", "a")]


def test_a_phrase_needs_its_share_of_the_rows(table: Table) -> None:
    articles = reuters(table, 100)
    assert leakage.find_leaks(articles, 0.25, 0.8)["rows"].to_list() == [100]
    assert leakage.find_leaks(articles, 0.2501, 0.8).is_empty()


def test_a_phrase_that_stands_elsewhere_in_more_than_a_tenth_of_its_texts_is_a_subject(table: Table) -> None:
    assert phrases(reuters(table, 90, elsewhere=10)) == [("reuters -", "start", "a")]
    assert phrases(reuters(table, 89, elsewhere=10)) == []


def test_a_phrase_has_at_most_four_tokens(table: Table) -> None:
    articles = corpus(table, lambda n, label: f"Go Digital Today Now: {body(n)}" if label == "a" and n % 2 else body(n))
    assert phrases(articles) == [("go digital today now", "start", "a")]


@pytest.mark.parametrize(("length", "start"), [(78, " x"), (79, "")])
def test_a_start_is_within_eighty_characters_and_so_is_an_end(table: Table, length: int, start: str) -> None:
    word = "w" * length
    articles = corpus(table, lambda n, label: f"{word} x\n{body(n)}" if label == "a" and n % 2 else body(n))
    assert {(phrase, place) for phrase, place, _ in phrases(articles)} >= {(f"{word}{start}", "start")}
    articles = corpus(table, lambda n, label: f"{body(n)}\nx {word}" if label == "a" and n % 2 else body(n))
    assert ("x " if start else "") + word in [phrase for phrase, place, _ in phrases(articles) if place == "end"]


def test_a_longer_phrase_replaces_its_start_from_half_of_the_rows(table: Table) -> None:
    for places in (["London", "Paris"], ["London", "Paris", "Rome"]):

        def write(number: int, label: str, places: list[str] = places) -> str:
            place = places[number // 2 % len(places)]
            return f"Update: {place} {body(number)}" if label == "a" and number % 2 else body(number)

        leaks = leakage.find_leaks(corpus(table, write, rows=480), 0.01, 0.8)
        starts = [("update:", 120, 0.5)] if len(places) == 3 else []
        rows = 120 // len(places)
        assert leaks.select("phrase", "rows", "share_of_class").rows() == [
            *starts,
            *((f"update: {place.lower()}", rows, rows / 240) for place in places),
        ]


def test_a_single_word_is_a_phrase(table: Table) -> None:
    articles = corpus(table, lambda n, label: f"Reuters {body(n)}" if label == "a" and n % 2 else body(n))
    assert phrases(articles) == [("reuters", "start", "a")]


def test_a_phrase_at_both_ends_is_listed_for_its_end_first(table: Table) -> None:
    articles = corpus(table, lambda n, label: f"(AP) {body(n)} (AP)" if label == "a" and n % 2 else body(n))
    leaks = leakage.find_leaks(articles, 0.01, 0.8)
    assert leaks.select("phrase", "place").rows() == [("(ap)", "end"), ("(ap)", "start")]
    assert leaks.columns == ["phrase", "place", "label", "rows", "purity", "share_of_class"]


def test_leaks_with_the_most_rows_come_first(table: Table) -> None:
    marks = {"a": "Zeta - ", "b": "Alpha - "}
    articles = corpus(table, lambda n, label: f"{marks[label] if n % 2 else ''}{body(n)}{' (AP)' if n < 150 else ''}")
    leaks = leakage.find_leaks(articles, 0.01, 0.8)
    assert leaks.select("phrase", "place", "label", "rows").rows() == [
        ("(ap)", "end", "a", 150), ("alpha -", "start", "b", 100), ("zeta -", "start", "a", 100),
    ]  # fmt: skip
