"""Parquet: which values are texts and labels, and how much of a file is read."""

import resource
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc.core.errors import DataContractError

from gazette.core.corpus import Parquet
from gazette.core.limits import MAX_COLUMNS, MAX_FIELD
from gazette.data.readers import parquet, plain
from gazette.data.readers.rows import EMPTY, ReadResult

RAW = Parquet(format="parquet", path="raw.parquet", text=["text"], label="label")


def read(raw: Path, *wanted: str | None, **columns: Any) -> ReadResult:
    """Read the columns `wanted`, the last of which is the label; text and label unless others are named."""
    *text, label = wanted or ("text", "label")
    pq.write_table(pa.table(columns), raw / "raw.parquet")
    return parquet.read_parquet(
        raw, Parquet(format="parquet", path="raw.parquet", text=text, label=label or "label"), label is not None
    )


@pytest.mark.parametrize("letter", ["x", "中", "𝒜"])
def test_a_text_of_the_most_characters_is_read_whatever_its_bytes(tmp_path: Path, letter: str) -> None:
    result = read(tmp_path, text=[letter * MAX_FIELD, letter * (MAX_FIELD + 1), "short"], label=["a", "a", "b"])
    assert result.articles["line"].to_list() == [1, 3]
    assert result.articles["text"].str.len_chars().to_list() == [MAX_FIELD, 5]
    reason = "too long: more than 100,000 characters, in column 'text'"
    assert result.rejects.select("line", "reason").rows() == [(2, reason)]


def test_a_reject_is_shown_with_its_text_and_its_label(tmp_path: Path) -> None:
    texts = pa.array([b"caf\xe9", b"x" * 300, b"y"]).view(pa.string())
    result = read(tmp_path, text=texts, label=pa.array([7, None, 8]), id=[1, 2, 3])
    assert result.rejects["seen"].to_list() == ["caf\\xe9 | 7", "x" * 200]
    assert result.rejects["reason"].to_list()[1] == "null, expected a string or an integer, in column 'label'"
    assert result.articles.select("text", "label", "line").rows() == [("y", "8", 3)]
    assert result.unused == ["id"]


def test_texts_are_joined_without_nulls_and_a_column_may_be_text_and_label(tmp_path: Path) -> None:
    result = read(tmp_path, "b", "a", "a", a=["x", "y", "z"], b=["B", None, ""])
    assert result.articles.select("text", "label").rows() == [("B\nx", "x"), ("y", "y"), ("z", "z")]


def test_a_row_of_nulls_is_skipped_with_labels_and_a_row_without(tmp_path: Path) -> None:
    result = read(tmp_path, text=["x", None, "", "y"], label=["a", None, "", "b"])
    assert result.articles["line"].to_list() == [1, 4] and result.notes == {EMPTY: 2}
    result = read(tmp_path, "text", None, text=["x", None, "", "y"])
    assert result.articles.select("text", "label", "line").rows() == [
        (t, None, n) for n, t in enumerate(["x", "", "", "y"], 1)
    ]


@pytest.mark.parametrize("labels", [pa.array([0, 1]), pa.array([0, 1]).dictionary_encode()])
def test_a_number_is_a_label_but_no_text(tmp_path: Path, labels: Any) -> None:
    assert read(tmp_path, text=["x", "y"], label=labels).articles["label"].to_list() == ["0", "1"]
    with pytest.raises(DataContractError, match=r"column 'text' has type .*; expected strings$"):
        read(tmp_path, text=labels, label=["a", "b"])


def test_a_file_of_the_most_columns_and_rows_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = {f"c{number}": ["x"] for number in range(MAX_COLUMNS - 2)}
    assert len(read(tmp_path, text=["x"], label=["a"], **more).unused) == MAX_COLUMNS - 2
    with pytest.raises(DataContractError, match=r"has 1,001 columns and 1 row; at most 1,000 and 20,000,000 are read"):
        read(tmp_path, text=["x"], label=["a"], last=["x"], **more)
    monkeypatch.setattr(parquet, "MAX_ROWS", 2)
    assert read(tmp_path, text=["x"] * 2, label=["a"] * 2).articles.height == 2
    with pytest.raises(DataContractError, match="has 2 columns and 3 rows; at most 1,000 and 2 are read"):
        read(tmp_path, text=["x"] * 3, label=["a"] * 3)


def test_a_footer_of_the_most_bytes_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(tmp_path, text=["x"], label=["a"])
    size = int.from_bytes((tmp_path / "raw.parquet").read_bytes()[-8:-4], "little")
    monkeypatch.setattr(parquet, "MAX_FOOTER", size)
    assert parquet.read_columns(tmp_path, "raw.parquet") == ["text", "label"]
    monkeypatch.setattr(parquet, "MAX_FOOTER", size - 1)
    with pytest.raises(DataContractError, match="a footer of more than"):
        parquet.read_columns(tmp_path, "raw.parquet")


def test_a_small_file_may_unpack_to_some_mebibytes_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MAX_GROWTH", 1)
    texts = ["x" * ((1 << 20) // 16 - 1)] * 16  # with labels of one byte
    assert read(tmp_path, text=texts, label=["a"] * 16).articles.height == 16
    with pytest.raises(DataContractError, match="decompresses to more than 1 times its size"):
        read(tmp_path, text=[*texts[:15], texts[15] + "x"], label=["a"] * 16)


VALUES = st.none() | st.sampled_from(["", "\0", "a", "a\x07", "中", "x" * 9]) | st.text(max_size=3)
COLUMN = st.lists(VALUES, min_size=1, max_size=6) | st.lists(st.sampled_from(["x", "yzé", ""]), min_size=1, max_size=3)
LABELS = st.lists(st.sampled_from(["b", None])).map(lambda values: [*values, "b"][::-1])
LABELS |= st.lists(st.integers(0, 9)) | st.just(["b"] * 6)


@given(COLUMN, COLUMN, LABELS, st.sampled_from([("a",), ("a", "b"), ("b", "a", "b")]), st.booleans())
def test_plain_batches_are_read_as_row_by_row(
    a: list[str | None], b: list[str | None], label: list[Any], text: tuple[str, ...], labeled: bool
) -> None:
    rows = min(len(a), len(b), len(label) or 1)
    table = {"a": pa.array(a[:rows], pa.string()), "b": pa.array(b[:rows], pa.string()), "label": label[:rows] or ["b"]}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for module in (parquet, plain):
            patch.setattr(module, "MAX_FIELD", 6)
        patch.setattr(parquet, "BATCH_ROWS", 2)
        result = read(Path(folder), *text, "label" if labeled else None, **table)
        patch.setattr(plain, "find_strings", lambda arrays: None)
        one_by_one = read(Path(folder), *text, "label" if labeled else None, **table)
    assert result.articles.equals(one_by_one.articles, null_equal=True)
    assert result.articles.schema == one_by_one.articles.schema
    assert result.rejects.equals(one_by_one.rejects) and result.notes == one_by_one.notes


def test_the_texts_of_earlier_row_groups_are_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_strings, sizes = plain.find_strings, []

    def watch(arrays: dict[str, pa.Array]) -> Any:
        sizes.append(len(arrays["text"].dictionary))
        return find_strings(arrays)

    monkeypatch.setattr(plain, "find_strings", watch)
    table = pa.table({"text": [f"text {number}" for number in range(9000)], "label": ["a", "b", "c"] * 3000})
    pq.write_table(table, tmp_path / "raw.parquet", row_group_size=1500)
    assert parquet.read_parquet(tmp_path, RAW).articles["line"].to_list() == [*range(1, 9001)]
    assert len(sizes) == 12 and max(sizes) <= 1500


def test_bytes_that_are_no_text_are_rejected_in_a_batch_of_texts(tmp_path: Path) -> None:
    result = read(tmp_path, text=pa.array([b"x", b"caf\xe9", b"y"]).view(pa.string()), label=["a", "b", "a"])
    assert result.articles["line"].to_list() == [1, 3] and result.rejects["line"].to_list() == [2]


def test_rows_of_many_batches_and_slices_are_all_read(tmp_path: Path) -> None:
    rows = [f"text {number}" for number in range(1, 2600)]
    result = read(tmp_path, text=rows, label=["a"] * len(rows))
    assert result.articles.select("text", "line").rows() == [(text, n) for n, text in enumerate(rows, 1)]


def test_the_memory_of_a_process_is_bounded_while_a_file_is_read_and_not_after(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    assert read(tmp_path, text=["x"], label=["a"]).articles.height == 1
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_file_without_rows_or_without_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"raw\.parquet contains no rows"):
        read(tmp_path, text=pa.array([], pa.string()), label=pa.array([], pa.string()))
    with pytest.raises(DataContractError, match=r"no column 'text' among 'Text', 'label' \(did you mean 'Text'\?\)"):
        read(tmp_path, Text=["x"], label=["a"])


@pytest.mark.parametrize("kind", [pa.list_(pa.string()), pa.large_list(pa.string())])
def test_several_labels_of_a_row_are_told_from_a_text_of_several_parts(tmp_path: Path, kind: Any) -> None:
    several = pa.array([["a", "b"]], kind)
    with pytest.raises(
        DataContractError, match=r"column 'label' has type .* expected strings or integers; .* keep one of each list"
    ):
        read(tmp_path, text=["x"], label=several)
    with pytest.raises(DataContractError, match="column 'text' has type ") as caught:
        read(tmp_path, text=several, label=["a"])
    assert "one class" not in str(caught.value)
    with pytest.raises(DataContractError, match="column 'label' has type double") as caught:
        read(tmp_path, text=["x"], label=[0.5])
    assert "one class" not in str(caught.value)


def test_a_damaged_page_or_footer_and_one_that_claims_too_much_are_refused(tmp_path: Path) -> None:
    read(tmp_path, text=["some text"] * 9, label=["a"] * 9)
    path = tmp_path / "raw.parquet"
    content = path.read_bytes()
    size = int.from_bytes(content[-8:-4], "little")
    for broken, message in (
        (content[:4] + b"\xff" * 30 + content[34:], r"(?s)cannot be read as Parquet: .*; was it copied completely"),
        (
            content[: -size - 8] + b"\xff" * size + content[-8:],
            r"(?s)cannot be read as Parquet: .*; was it copied completely",
        ),
        (content[:-8] + (1 << 25).to_bytes(4, "little") + b"PAR1", "a footer of more than 4,194,304 bytes"),
    ):
        path.write_bytes(broken)
        with pytest.raises(DataContractError, match=message):
            parquet.read_parquet(tmp_path, RAW)


def test_what_begins_or_ends_unlike_parquet_is_refused(tmp_path: Path) -> None:
    read(tmp_path, text=["x"], label=["a"])
    path = tmp_path / "raw.parquet"
    content = path.read_bytes()
    for broken in (b"PAR2" + content[4:], content[:-4] + b"PAR2", b"PAR1", content[:-1], content + b"\n"):
        path.write_bytes(broken)
        with pytest.raises(DataContractError, match=r"is not Parquet, or was truncated|cannot be read as Parquet"):
            parquet.read_parquet(tmp_path, RAW)
