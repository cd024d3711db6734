"""Examples show what a finding means, and no more of the corpus than that."""

import polars as pl

from gazette.core import normalization
from gazette.data.validation import damage, examples, near_duplicates, personal_data


def articles(*texts: str, split: str = "train") -> pl.DataFrame:
    rows = pl.DataFrame({"text": texts, "label": "a", "split": split, "file": "all.csv"})
    keyed = normalization.with_key(rows.with_columns(line=pl.int_range(1, len(texts) + 1, dtype=pl.Int64)))
    return keyed.with_columns(copy="key", group=near_duplicates.groups(keyed["key"], 0.8, "en"))


def test_an_example_begins_shortly_before_what_was_found() -> None:
    rows = articles("word " * 200 + "<br> and more", "sound")
    found = examples.of_flags(rows, damage.flags(rows).select("markup"), damage.places())
    assert found.select("kind", "file", "line").rows() == [("markup", "all.csv", 1)]
    assert "<br> and more" in found["seen"].item()
    assert len(found["seen"].item()) <= 200


def test_of_each_kind_the_first_few_are_shown_by_file_and_line() -> None:
    rows = articles(*(f"story {number} <br>" for number in range(20))).reverse()
    found = examples.of_flags(rows, damage.flags(rows).select("markup"), damage.places())
    assert found["line"].to_list() == list(range(1, examples.EACH + 1))


def test_near_duplicates_name_their_neighbour_its_split_and_label() -> None:
    story = "The home team won the last match of the season on Sunday after extra time"
    rows = pl.concat([articles(story), articles(story + " again", split="test").with_columns(label=pl.lit("b"))])
    rows = rows.with_columns(group=near_duplicates.groups(rows["key"], 0.8, "en"))
    found = examples.of_neighbours(rows)
    assert found["kind"].to_list() == ["near_conflicts", "near_overlap"]
    assert found["seen"].str.contains("near all.csv line 1").all()


def test_copies_are_no_near_duplicates() -> None:
    assert examples.of_neighbours(articles("one story", "ONE story")).is_empty()


def test_personal_data_are_shown_masked_alone() -> None:
    rows = articles("Write to jane.doe@example.org today")
    found = personal_data.find(rows["text"], "en")
    seen = examples.of_finds(rows, found, personal_data.shown(rows["text"], found))["seen"].item()
    assert "j***@e***.org" in seen
    assert "jane" not in seen
