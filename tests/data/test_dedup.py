"""Equal texts are known by their numbers, part by part."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.data import dedup

texts = st.lists(st.text(st.sampled_from("ab字 "), max_size=3), max_size=30)


@given(texts)
def test_a_row_has_the_number_of_the_first_that_is_the_same(rows: list[str]) -> None:
    first = dedup.first_occurrences(dedup.hash_keys(pl.Series(rows, dtype=pl.String)))
    assert first.to_list() == [rows.index(text) for text in rows]


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_parts_keep_the_order_of_the_texts(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(dedup, "PART_ROWS", rows)
    parts = dedup.map_parts(pl.Series([str(number) for number in range(50)]), lambda part: part.to_list())
    assert [text for part in parts for text in part] == [str(number) for number in range(50)]


def test_no_text_is_one_part_without_rows() -> None:
    assert dedup.map_parts(pl.Series([], dtype=pl.String), len) == [0]
