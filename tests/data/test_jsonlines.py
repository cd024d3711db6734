"""JSON lines, object by object."""

import json
from pathlib import Path
from typing import Any

import pytest
from prefect_dvc.core.errors import DataContractError

from gazette.core.corpus import JsonLines
from gazette.core.escape import quote
from gazette.core.limits import MAX_COLUMNS, MAX_FIELD
from gazette.data.readers.jsonlines import MAX_DEPTH, read_json
from gazette.data.readers.rows import EMPTY, ReadResult


def read(raw: Path, *rows: Any, text: tuple[str, ...] = ("text",), label: str | None = "label") -> ReadResult:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    (raw / "raw.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return read_json(
        raw, JsonLines(format="jsonl", path="raw.jsonl", text=list(text), label=label or "label"), label is not None
    )


def test_a_value_that_is_written_like_a_key_is_a_value(tmp_path: Path) -> None:
    result = read(tmp_path, {"text": "label", "label": "text"}, '{"text": "x", "label": "a", "label": "b"}')
    assert result.articles.select("text", "label").rows() == [("label", "text")]
    assert result.rejects.select("line", "reason").rows() == [(2, "a key twice: 'label'")]


def test_an_object_with_every_key_twice_is_a_reject(tmp_path: Path) -> None:
    result = read(tmp_path, {"text": "x", "label": "a"}, '{"text": "x", "label": "a", "text": "y", "label": "a"}')
    assert result.rejects["reason"].to_list() == ["a key twice: 'text'"]


def test_where_json_breaks_is_told_by_character(tmp_path: Path) -> None:
    result = read(tmp_path, {"text": "x", "label": "a"}, '{"text": x}')
    assert result.rejects["reason"].item().endswith(" at character 10")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{"text": "x", "label": NaN}', "at character 24, 'NaN'"),
        ('{"text": "x", "label": "a"},', "at character 28, ','"),
        ('{\n"text": "x",\n"label": "a"\n}', "an object over several lines, expected a whole one on each"),
        ('{"text": {"0": "x"}, "label": {"0": "a"}}', "is this a table by columns? Write an object for each article"),
    ],
)
def test_what_other_programs_write_is_named(tmp_path: Path, row: str, reason: str) -> None:
    assert reason in read(tmp_path, {"text": "x", "label": "a"}, row).rejects["reason"][0]


def test_a_byte_order_mark_between_files_that_were_concatenated_is_passed_over(tmp_path: Path) -> None:
    result = read(tmp_path, {"text": "x", "label": "a"}, '\ufeff{"text": "label", "label": "text"}')
    assert result.articles["text"].to_list() == ["x", "label"]


def test_a_text_of_the_most_characters_is_read(tmp_path: Path) -> None:
    result = read(tmp_path, *({"text": "中" * length, "label": "a"} for length in (MAX_FIELD, MAX_FIELD + 1)))
    assert (result.articles["line"].to_list(), result.rejects["line"].to_list()) == ([1], [2])


def test_an_object_of_the_most_keys_is_read(tmp_path: Path) -> None:
    filler = {f"k{number}": 1 for number in range(MAX_COLUMNS - 2)}
    good = filler | {"text": "x", "label": "a"}
    result = read(tmp_path, good, good | {"more": 1})
    assert result.articles["line"].to_list() == [1] and len(result.unused) == MAX_COLUMNS - 2
    assert result.rejects.select("line", "reason").rows() == [(2, "1,001 keys; at most 1,000 are read")]


def test_keys_that_nothing_reads_are_named_in_order_and_of_the_first_thousand(tmp_path: Path) -> None:
    rows = [{"text": "x", "label": "a", f"k{number:04}": 1, "b": None} for number in range(1200)]
    unused = read(tmp_path, *rows).unused
    assert unused == ["b", *(f"k{number:04}" for number in range(MAX_COLUMNS - 3))]


def test_a_key_that_is_missing_is_named_with_the_first_twenty_that_are_there(tmp_path: Path) -> None:
    result = read(tmp_path, {"text": "x", "label": "a"}, {f"k{number}": "x" for number in range(25)})
    present = ", ".join(f"'k{number}'" for number in range(20))
    assert result.rejects["reason"].item() == f"no key 'text', 'label' (keys: {present})"


def test_a_long_key_is_cut(tmp_path: Path) -> None:
    reason = read(tmp_path, {"text": "x", "label": "a"}, {"k" * 60: 1}).rejects["reason"].item()
    assert reason == f"no key 'text', 'label' (keys: {quote('k' * 60, 40)})" and "k" * 41 not in reason


def test_of_several_texts_one_is_enough_but_a_label_is_needed(tmp_path: Path) -> None:
    rows = [{"t": "T", "b": "B", "label": "a"}, {"b": "B", "label": "a"}, {"t": "T", "b": "B"}, {"label": "a", "c": 1}]
    result = read(tmp_path, *rows, text=("t", "b"))
    assert result.articles["text"].to_list() == ["T\nB", "B"]
    assert result.rejects["reason"].to_list() == [
        "no key 'label' (keys: 't', 'b')",
        "no key 't', 'b' (keys: 'label', 'c')",
    ]


def test_an_object_without_anything_is_a_row_if_there_are_no_labels(tmp_path: Path) -> None:
    rows = [{"text": "x"}, {"text": None}, {"text": " "}]
    assert read(tmp_path, *rows, label=None).articles["text"].to_list() == ["x", "", " "]
    labeled = read(tmp_path, *({"label": None} | row for row in rows[1:]), {"text": "x", "label": 0})
    assert labeled.notes == {EMPTY: 2} and labeled.articles.select("label", "line").rows() == [("0", 3)]


def test_an_object_with_a_number_is_not_empty(tmp_path: Path) -> None:
    result = read(tmp_path, {"text": "x", "label": "a"}, {"text": None, "label": None, "id": 0})
    assert result.notes == {} and "'label' is NoneType" in result.rejects["reason"].item()


def test_a_file_of_rejects_alone_is_all_rejects_and_one_without_rows_is_refused(tmp_path: Path) -> None:
    assert read(tmp_path, "{", "[").rejects["line"].to_list() == [1, 2]
    with pytest.raises(DataContractError, match=r"raw\.jsonl contains no rows"):
        read(tmp_path, "", " ")


def test_a_key_that_all_lack_is_named_though_others_are_there(tmp_path: Path) -> None:
    with pytest.raises(
        DataContractError, match=r"no object has the key 'titel' \(keys: 'title', 'label', 'text'\) \(did"
    ):
        read(tmp_path, {"title": "x", "label": "a", "text": "y"}, text=("text", "titel"))


@pytest.mark.parametrize(
    "row", ['["text", "text"]', '[["text", "text"], ["text", 1]]', '"\\"text\\", \\"text\\""', "7"]
)
def test_what_is_no_object_is_a_reject_though_it_names_a_column_twice(tmp_path: Path, row: str) -> None:
    result = read(tmp_path, {"text": "x", "label": "a"}, row)
    assert result.rejects["reason"].item().endswith(", expected an object with keys and values")


@pytest.mark.parametrize(
    "start", ['{"text": "text", "label": "a", "date": null, "n": ', '{"text": "x", "label": "a", "date": ']
)
@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"n": ', "}")])
def test_an_object_that_is_nested_too_deeply_is_a_reject(tmp_path: Path, start: str, left: str, right: str) -> None:
    rows = (start + left * depth + "1" + right * depth + "}" for depth in (MAX_DEPTH - 1, MAX_DEPTH, 1010))
    (tmp_path / "raw.jsonl").write_text("\n".join(rows))
    dated = {"text": ["text"], "label": "label", "date": "date", "date_format": "iso"}
    result = read_json(tmp_path, JsonLines(format="jsonl", path="raw.jsonl", **dated))
    assert result.articles["line"].to_list() == [1]
    assert result.rejects["reason"].to_list() == 2 * ["nested too deeply: more than 500 lists or objects in each other"]


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1])
def test_an_integer_of_more_than_64_bits_is_no_label_and_called_that(tmp_path: Path, number: int) -> None:
    result = read(tmp_path, *({"text": "x", "label": label} for label in (2**64 - 1, -(2**63), number, 0.5)))
    assert result.articles["label"].to_list() == [str(2**64 - 1), str(-(2**63))]
    assert result.rejects["reason"].to_list() == [
        "no value: 'label' is a number of more than 64 bits, expected a string or an integer; write it as a string, in "
        "quotes",
        "no value: 'label' is float, expected a string or an integer",
    ]
