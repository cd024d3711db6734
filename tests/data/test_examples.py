"""Examples show what a finding means, and no more of the corpus than that."""

import polars as pl

from gazette.core import normalization
from gazette.data.validation import damage, examples, near_duplicates, personal_data


def articles(*texts: str, split: str = "train") -> pl.DataFrame:
    rows = pl.DataFrame({"text": texts, "label": "a", "split": split, "file": "all.csv"})
    keyed = normalization.add_key(rows.with_columns(line=pl.int_range(1, len(texts) + 1, dtype=pl.Int64)))
    return keyed.with_columns(copy="key", group=near_duplicates.group_near_duplicates(keyed["key"], 0.8, "en"))


def test_an_example_begins_shortly_before_what_was_found() -> None:
    rows = articles("word " * 200 + "<br> and more", "sound")
    rows = rows.hstack(damage.flag_damage(rows))
    result = examples.flag_examples(rows, ["markup"], damage.damage_patterns())
    assert result.select("kind", "file", "line").rows() == [("markup", "all.csv", 1)]
    assert "<br> and more" in result["seen"].item()
    assert len(result["seen"].item()) <= 200


def test_of_each_kind_the_first_few_are_shown_by_file_and_line() -> None:
    rows = articles(*(f"story {number} <br>" for number in range(20))).reverse()
    rows = rows.hstack(damage.flag_damage(rows))
    result = examples.flag_examples(rows, ["markup"], damage.damage_patterns())
    assert result["line"].to_list() == list(range(1, examples.EXAMPLES_PER_KIND + 1))


def test_near_duplicates_name_the_first_of_their_group_its_split_and_label() -> None:
    story = "The home team won the last match of the season on Sunday after extra time"
    rows = pl.concat([articles(story), articles(story + " again", split="test").with_columns(label=pl.lit("b"))])
    rows = rows.with_columns(group=near_duplicates.group_near_duplicates(rows["key"], 0.8, "en"))
    result = examples.near_duplicate_examples(rows)
    assert result["kind"].to_list() == ["near_conflicts", "near_overlap"]
    assert result["seen"].str.contains("near all.csv line 1").all()


def test_copies_are_no_near_duplicates() -> None:
    assert examples.near_duplicate_examples(articles("one story", "ONE story")).is_empty()


def test_personal_data_are_shown_masked_alone() -> None:
    rows = articles("Write to jane.doe@example.org today")
    result = personal_data.find_personal_data(rows["text"], "en")
    seen = examples.personal_data_examples(rows, result, personal_data.star_out(rows["text"], result))["seen"].item()
    assert "j***@e***.org" in seen
    assert "jane" not in seen
