"""What an overlay does to articles: which rows change, which never do."""

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc.core.errors import DataContractError

from gazette.core.corpus import OVERLAY, Delimited
from gazette.data import overlay, splits

SHARES = (0.2, 0.3)
PUBLISHED = ["test", "train"]
words = st.sampled_from([f"Article {number}" for number in range(3)])
labels = st.sampled_from("ab")
rows = st.lists(st.tuples(words, labels, st.sampled_from(["train", "test"])), min_size=1, max_size=12)
# One label for each text and rank, so that nothing contradicts itself.
decisions = st.dictionaries(st.tuples(words, st.sampled_from([0, 1, 2])), labels, max_size=12)


def table(content: list[tuple[str, str, str]]) -> pl.DataFrame:
    frame = pl.DataFrame(content, schema=["text", "label", "split"], orient="row")
    return frame.with_columns(file=pl.lit("raw.csv"), line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


def line(text: str, label: str, source: str = "volunteered", kind: str = "article", number: int = 1) -> dict[str, Any]:
    about = {"text": text, "label": label, "source": source, "kind": kind, "when": "", "who": ""}
    return about | {"line": number, "place": f"{OVERLAY}, line {number}"}


def lines(content: dict[tuple[str, int], str], kind: str = "article") -> pl.DataFrame:
    sources = ["added", "volunteered", "asked"]
    return overlay.to_frame(
        [
            line(text.upper() + " ", label, sources[rank], kind, number)
            for number, ((text, rank), label) in enumerate(content.items(), 1)
        ]
    )


@given(rows, decisions)
def test_no_row_is_lost_moved_or_reworded(content: list[tuple[str, str, str]], changes: dict[Any, str]) -> None:
    before = table(content)
    after, outcomes = overlay.apply(before, lines(changes))
    same = ["text", "split", "file", "line"]
    assert after.head(before.height).select(same).equals(before.select(same))
    new = after.tail(after.height - before.height)
    assert new.height == outcomes.filter(outcome="added").height
    assert set(new["file"]) <= {OVERLAY} and set(new["split"]) <= {"train"}
    assert outcomes.height == len(changes) and not outcomes["outcome"].has_nulls()


@given(rows, decisions)
def test_a_row_has_the_label_of_the_best_source_and_volunteers_change_train_alone(
    content: list[tuple[str, str, str]], changes: dict[Any, str]
) -> None:
    after, _ = overlay.apply(table(content), lines(changes))
    volunteers = after["train_label"].to_list() if "train_label" in after else [None] * after.height
    for (text, label, split), corrected, volunteered in zip(content, after["label"], volunteers, strict=False):
        assert corrected == changes.get((text, 2), label)
        is_free = split == "train" and (text, 2) not in changes
        wanted = changes.get((text, 1), label)
        assert volunteered == (wanted if is_free and wanted != label else None)


@given(rows, decisions)
def test_corrections_of_articles_that_are_gone_add_nothing(
    content: list[tuple[str, str, str]], changes: dict[Any, str]
) -> None:
    before = table(content)
    assert overlay.apply(before, lines(changes, kind="label"))[0].height == before.height


@given(rows)
def test_an_empty_overlay_changes_nothing(content: list[tuple[str, str, str]]) -> None:
    before = table(content)
    assert overlay.apply(before, overlay.to_frame([]))[0].equals(before)


@given(rows, decisions, st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(
    content: list[tuple[str, str, str]], changes: dict[Any, str], shuffle: random.Random
) -> None:
    shuffled = list(changes.items())
    shuffle.shuffle(shuffled)
    (first, _), (second, _) = (
        overlay.apply(table(content), lines(dict(items))) for items in (changes.items(), shuffled)
    )
    order = first.columns[:2]
    assert first.drop("line").sort(order).equals(second.drop("line").sort(order))


@given(rows, decisions)
def test_what_is_volunteered_or_added_never_enters_valid_or_test(
    content: list[tuple[str, str, str]], changes: dict[Any, str]
) -> None:
    few = {place: label for place, label in changes.items() if place[1] < 2}

    def split(articles: pl.DataFrame) -> pl.DataFrame:
        key = articles["text"].str.to_lowercase().str.strip_chars()
        keyed = articles.with_columns(key=key, place=splits.hash_positions(key))
        if "train_label" in keyed:
            keyed, _ = splits.apply_volunteered(keyed, PUBLISHED, *SHARES)
        return splits.assign_splits(keyed, PUBLISHED, *SHARES)

    before, after = split(table(content)), split(overlay.apply(table(content), lines(few))[0])
    held_out = pl.col("split") != "train"
    assert after.filter(held_out).equals(before.filter(held_out))


@pytest.mark.parametrize(("source", "count"), [("asked", "volunteered"), ("audit", "added"), ("volunteered", "added")])
def test_a_better_source_overrules(source: str, count: str) -> None:
    pair = overlay.to_frame([line("New", "a", count, number=1), line("NEW", "b", source, number=2)])
    after, outcomes = overlay.apply(table([("Old", "a", "train")]), pair)
    assert after["label"].to_list() == ["a", "b"]
    assert outcomes["outcome"].to_list() == ["superseded", "added"]


def test_sources_of_equal_rank_that_contradict_each_other_are_refused_with_both_places() -> None:
    pair = overlay.to_frame([line("New", "a", "asked", number=3), line("NEW", "b", "audit", number=7)])
    with pytest.raises(DataContractError, match=r"equal rank:\n  'New': 'a' in .*line 3; 'b' in .*line 7\nRemove"):
        overlay.apply(table([("Old", "a", "train")]), pair)


@pytest.mark.parametrize(
    ("better", "labels", "outcome"),
    [(None, [], "disputed"), ("added", ["c"], "disputed"), ("audit", ["c"], "superseded")],
)
def test_volunteers_who_contradict_each_other_do_not_count(better: str | None, labels: list[str], outcome: str) -> None:
    pair = [line("New", "a", number=1), line("NEW", "b", number=2)]
    pair += [line("new", "c", better, number=3)] if better else []
    after, outcomes = overlay.apply(table([("Old", "a", "train")]), overlay.to_frame(pair))
    assert after["label"].to_list() == ["a", *labels]
    assert outcomes["outcome"].to_list() == [outcome, outcome, *(["added"] if better else [])]


def test_an_unknown_label_is_refused_with_its_place() -> None:
    with pytest.raises(DataContractError, match=r"corrections.jsonl, line 4: unknown label 'aa'"):
        overlay.check_labels(overlay.to_frame([line("New", "aa", number=4)]), ["a", "b"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n{", "line 2: not JSON"),
        (b"[" * 100_000, "line 1: not JSON"),
        (b'{"text": "\xff"}', "line 1: not JSON in UTF-8"),
        (b'{"text": "\\ud800"}', "line 1: not JSON in UTF-8"),
        (b'{"text": 1}', "line 1: expected an object with the texts kind, label, source, text, when, who"),
        (b'{"text":"","label":"","source":"me","kind":"label","when":"","who":""}', "`source` is 'me', expected added"),
        (b'{"text":"","label":"","source":"audit","kind":"x","when":"","who":""}', "`kind` is 'x', expected label"),
    ],
)
def test_a_broken_line_is_named(content: bytes, message: str) -> None:
    with pytest.raises(DataContractError) as stop:
        overlay.parse_overlay(content, Path(OVERLAY))
    assert message in str(stop.value)


def test_a_raw_file_cannot_be_the_overlay() -> None:
    with pytest.raises(ValueError, match="corrections of the corpus"):
        Delimited(format="csv", path=f"./{OVERLAY}", header=True, text=["text"], label="label")
