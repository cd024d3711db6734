"""What changed between two states of a corpus."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from gazette.core import normalization
from gazette.data import diff


def keyed(*rows: tuple[str, str, str]) -> pl.DataFrame:
    columns = pl.DataFrame(rows, schema=dict.fromkeys(["text", "label", "split"], pl.String), orient="row")
    places = columns.with_columns(file=pl.lit("all.csv"), line=pl.int_range(1, len(rows) + 1, dtype=pl.Int64))
    return normalization.add_key(places)


BEFORE = keyed(("one", "a", "train"), ("two", "a", "train"), ("three", "b", "train"), ("four", "b", "test"))
AFTER = keyed(("ONE", "a", "train"), ("two", "b", "train"), ("four", "b", "train"), ("five", "a", "test"))


def test_an_article_is_added_gone_relabeled_moved_or_the_same() -> None:
    changes = diff.compare_articles(BEFORE, AFTER).sort("text")
    assert dict(changes.select("text", "change").iter_rows()) == {
        "ONE": "same",
        "two": "relabeled",
        "three": "gone",
        "four": "moved",
        "five": "added",
    }


def test_a_change_names_the_place_in_the_later_state_or_where_the_article_was() -> None:
    changes = {row["text"]: row for row in diff.compare_articles(BEFORE, AFTER).iter_rows(named=True)}
    assert changes["five"]["line"] == 4
    assert changes["three"]["line"] == 3
    assert (changes["two"]["label_before"], changes["two"]["label"]) == ("a", "b")


def test_figures_count_changes_and_show_both_shapes() -> None:
    summary = diff.summarize_changes(BEFORE, AFTER)
    assert summary["changes"] == {"added": 1, "gone": 1, "relabeled": 1, "moved": 1, "same": 1}
    assert summary["relabeled"] == [{"label_before": "a", "label": "b", "articles": 1}]
    assert (summary["before"]["rows"], summary["after"]["shares"]) == (4, {"a": 0.5, "b": 0.5})


rows = st.lists(
    st.tuples(
        st.sampled_from(["one", "two", "three", "four"]), st.sampled_from("ab"), st.sampled_from(["train", "test"])
    )
)


@given(rows, rows)
def test_every_different_article_of_either_state_is_counted_once(
    before: list[tuple[str, str, str]], after: list[tuple[str, str, str]]
) -> None:
    summary = diff.summarize_changes(keyed(*before), keyed(*after))
    assert sum(summary["changes"].values()) == len({text for text, *_ in before} | {text for text, *_ in after})
    assert diff.summarize_changes(keyed(*after), keyed(*before))["changes"]["gone"] == summary["changes"]["added"]
