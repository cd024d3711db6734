"""A JSON array of objects is read as its elements, streamed, with the strictness of JSON lines."""

import json
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.core.corpus import JsonArray
from gazette.data.coding import Hints
from gazette.data.readers import jsonarray
from gazette.data.readers.columns import Columns
from gazette.data.readers.read import read_file
from gazette.data.readers.rows import ReadResult
from gazette.data.sniffing import detect_layout

NAMED = Columns(("text",), "label")
ROWS = [{"text": "Shares, [fell] {5}%", "label": "trade"}, {"text": 'They "won" \\ 3:1', "label": "sport"}]


def read(folder: Path, content: bytes, name: str = "raw.json", **hints: Any) -> ReadResult:
    (folder / name).write_bytes(content)
    file = detect_layout(folder / name, NAMED, Hints(**hints))
    assert isinstance(file, JsonArray)
    return read_file(file, folder)


def texts(result: ReadResult) -> list[str]:
    return result.articles["text"].to_list()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "mark"])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["raw.json", "raw.jsonl", "raw.txt"])
def test_an_array_is_read_with_a_mark_and_without_pretty_or_compact(
    tmp_path: Path, mark: bytes, indent: int | None, name: str
) -> None:
    result = read(tmp_path, mark + b" \n" + json.dumps(ROWS, indent=indent).encode() + b"\n", name)
    assert result.articles.select("text", "label").rows() == [(row["text"], row["label"]) for row in ROWS]
    assert result.articles["line"].to_list() == [1, 2]


@pytest.mark.parametrize("codec", ["utf-16", "utf-8-sig", "gb18030"])
def test_an_array_in_another_encoding_is_read(tmp_path: Path, codec: str) -> None:
    rows = [{"text": f"央行下调利率 市场反应积极{number}", "label": "财经"} for number in range(40)]
    result = read(tmp_path, json.dumps(rows, ensure_ascii=False).encode(codec), language="zh")
    assert texts(result) == [row["text"] for row in rows]


objects = st.dictionaries(
    st.text(max_size=5),
    st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5),
)


@given(st.lists(objects, max_size=8), st.sampled_from([None, 1]), st.booleans(), st.integers(1, 9))
def test_whatever_is_in_an_array_comes_out_of_it(
    rows: list[Any], indent: int | None, ascii_only: bool, chunk: int
) -> None:
    content = json.dumps(rows, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonarray, "CHUNK", chunk)
        lines = list(jsonarray.iter_elements(BytesIO(content), Path("raw")))
    assert [line.number for line in lines] == list(range(1, max(len(rows), 1) + 1))
    assert [json.loads(line.text) for line in lines if line.text.strip()] == json.loads(content)


GOOD = b'{"text": "x", "label": "a"}'


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (b'{"text": NaN, "label": "a"}', "not JSON"),
        (b'{"text": "x" "label": "a"}', "not JSON"),
        (b'{"text": "x", "text": "y", "label": "a"}', "a key twice: 'text'"),
        (b'["x", "a"]', "list, expected an object"),
        (b"3", "int, expected an object"),
        (b'{"label": "a"}', "no key 'text'"),
        (b'{"text": "caf\xe9", "label": "a"}', "not UTF-8: byte 0xe9"),
        (b'{"text": "' + b"x" * (1 << 20) + b'", "label": "a"}', "element too long: more than 1,048,576 bytes"),
        (b'{"text": "x", "label": ["a", "b"]}', "an article has one: keep one of the list"),
        (b"[" * 100_000 + b"]" * 100_000, "not JSON"),
    ],
)
def test_a_bad_element_is_a_reject_and_its_neighbors_are_kept(tmp_path: Path, element: bytes, reason: str) -> None:
    result = read(tmp_path, b"[" + GOOD + b",\n" + element + b",\n" + GOOD + b"]", encoding="utf-8")
    assert result.articles["line"].to_list() == [1, 3]
    assert result.rejects["line"].to_list() == [2]
    assert reason in result.rejects["reason"].item()


def test_an_array_that_is_cut_off_costs_its_last_element(tmp_path: Path) -> None:
    result = read(tmp_path, b"[" + GOOD + b", " + GOOD[:12])
    assert texts(result) == ["x"]
    assert "the file ends before the array does: was it truncated?" in result.rejects["reason"].item()


def test_a_comma_after_the_last_element_is_nothing(tmp_path: Path) -> None:
    assert texts(read(tmp_path, b"[" + GOOD + b",\n]\n")) == ["x"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" + GOOD + b"] [" + GOOD + b"]", "something follows the array, which ends after 1 elements"),
        (b"[" + GOOD + b"]]", "something follows the array"),
        (b"[]", "contains no rows"),
    ],
)
def test_what_is_no_single_array_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataContractError, match=message):
        read(tmp_path, content)


def test_a_key_that_no_object_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no column 'text' among 'title', 'label'"):
        read(tmp_path, b'[{"title": "x", "label": "a"}]')


def test_a_file_of_json_may_hold_json_lines() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "raw.json"
        path.write_bytes(GOOD + b"\n" + GOOD + b"\n")
        assert detect_layout(path, NAMED).format == "jsonl"
