"""Rows on disk are the rows that were appended, by number, by place in their split, and in order."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.data.parts import PLACE, Parts

places = st.lists(
    st.tuples(st.sampled_from(["train", "test"]), st.sampled_from("ab"), st.integers(1, 9)), min_size=1, max_size=30
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parts[1]*")


def write(folder: Path, rows: list[tuple[str, str, int]], size: int) -> tuple[Parts, pl.DataFrame]:
    """Rows in parts of one split each, and the same rows in memory with their numbers."""
    table = pl.DataFrame(rows, schema=PLACE, orient="row").with_row_index("text").cast({"text": pl.String})
    parts, chunks = Parts(folder), []
    for _, rows_of_split in table.group_by("split", maintain_order=True):
        chunks += list(rows_of_split.iter_slices(size))
    for chunk in chunks:
        parts.append(chunk)
    return parts, pl.concat(chunks).with_row_index("row")


@given(places, st.integers(1, 8))
def test_rows_are_read_as_they_were_appended(folder: Path, rows: list[tuple[str, str, int]], size: int) -> None:
    parts, table = write(folder, rows, size)
    assert parts.rows == table.height
    assert parts.scan().collect().equals(table)
    assert pl.concat(parts).equals(table)


@given(places, st.integers(1, 8), st.data())
def test_rows_are_gathered_by_number_and_by_position_in_their_split(
    folder: Path, rows: list[tuple[str, str, int]], size: int, data: st.DataObject
) -> None:
    parts, table = write(folder, rows, size)
    numbers = data.draw(st.sets(st.sampled_from(range(table.height))))
    assert parts.gather(np.array(sorted(numbers), dtype=np.int64)).equals(table[sorted(numbers)])
    for split in table["split"].unique():
        of_split = table.filter(split=split)["row"].to_list()
        assert parts.find(split, np.arange(len(of_split))).tolist() == of_split


@given(places, st.integers(1, 8))
def test_rows_are_sorted_by_place_whatever_the_parts(
    tmp_path_factory: pytest.TempPathFactory, folder: Path, rows: list[tuple[str, str, int]], size: int
) -> None:
    parts, table = write(folder, rows, size)
    ordered = parts.scan_sorted(tmp_path_factory.mktemp("ordered[1]*")).collect()
    assert ordered.select(PLACE).equals(table.select(PLACE).sort(PLACE))
    assert sorted(ordered["text"]) == sorted(table["text"])


def test_parts_without_rows_have_columns(tmp_path: Path) -> None:
    parts, _ = write(tmp_path, [("train", "a", 1)], 1)
    parts = Parts(tmp_path)
    parts.append(pl.DataFrame(schema={"text": pl.String, **dict.fromkeys(PLACE, pl.String)}))
    assert parts.rows == 0 == parts.gather(np.zeros(0, dtype=np.int64)).height
    assert parts.scan().collect().columns == ["row", "text", *PLACE]


def test_few_rows_of_a_part_do_not_keep_its_texts_in_memory(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    for _ in range(2):
        text = pl.Series("text", ["a text that is too long to stand in a view"] * 1000)
        parts.append(text.to_frame().with_columns(split=pl.lit("train"), file=pl.lit("all.csv"), line=1))
    buffers = (
        parts.gather(np.array([3, 1500]))["text"].rechunk().to_arrow(compat_level=pl.CompatLevel.newest()).buffers()
    )
    assert sum(buffer.size for buffer in buffers if buffer) < 1000
