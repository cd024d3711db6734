"""Rows are cut out of raw files of every kind; the others stay as they are."""

import bz2
import gzip
import json
import lzma
import zipfile
from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from prefect_dvc.core.errors import DataContractError

from gazette.core.corpus import Delimited, File, Folder, JsonArray, JsonLines, Parquet
from gazette.data.readers import cut, read

TEXTS = ["Rain, at last", 'A "quoted" day', "Two\nlines", "The last ärticle"]
CSV = Delimited(format="csv", path="news", header=True, text=["text"], label="label")
LINES = JsonLines(format="jsonl", path="news", text=["text"], label="label")


def to_csv(texts: list[str]) -> str:
    return "text,label\r\n" + "".join(f'"{text.replace(chr(34), 2 * chr(34))}",a\r\n' for text in texts)


def to_lines(texts: list[str]) -> str:
    return "".join(json.dumps({"text": text, "label": "a"}) + "\n" for text in texts)


def to_array(texts: list[str]) -> str:
    return "[" + ",".join(f"\n  {json.dumps({'text': text, 'label': 'a'})}" for text in texts) + "\n]\n"


def cut_text(folder: Path, file: File, text: str) -> list[tuple[str, int]]:
    places = cut.find_rows(folder, file, lambda texts: texts == text, lambda seen: seen.str.contains(text[:8]))
    cut.cut_rows(folder, file, places)
    return places


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32", "iso-8859-1"])
def test_the_other_rows_of_separated_values_keep_their_bytes_in_any_encoding(
    tmp_path: Path, text: str, encoding: str
) -> None:
    (tmp_path / "news").write_bytes(to_csv(TEXTS).encode(encoding))
    cut_text(tmp_path, CSV.model_copy(update={"encoding": encoding}), text)
    assert (tmp_path / "news").read_bytes() == to_csv([row for row in TEXTS if row != text]).encode(encoding)


@pytest.mark.parametrize("text", TEXTS)
def test_the_other_rows_of_json_keep_their_bytes(tmp_path: Path, text: str) -> None:
    rest = [row for row in TEXTS if row != text]
    (tmp_path / "news").write_text(to_lines(TEXTS))
    cut_text(tmp_path, LINES, text)
    assert (tmp_path / "news").read_text() == to_lines(rest)
    (tmp_path / "news").write_text(to_array(TEXTS))
    cut_text(tmp_path, JsonArray(format="json", path="news", text=["text"], label="label"), text)
    assert json.loads((tmp_path / "news").read_text()) == json.loads(to_array(rest))


def zipped(content: bytes, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.jsonl", content)


PACKED = {
    "gzip": (lambda content, path: path.write_bytes(gzip.compress(content)), gzip.decompress),
    "bzip2": (lambda content, path: path.write_bytes(bz2.compress(content)), bz2.decompress),
    "xz": (lambda content, path: path.write_bytes(lzma.compress(content)), lzma.decompress),
    "zstd": (
        lambda content, path: path.write_bytes(pa.compress(content, "zstd", asbytes=True)),
        lambda content: pa.CompressedInputStream(pa.BufferReader(content), "zstd").read(),
    ),
    "zip": (zipped, None),
}


@pytest.mark.parametrize("compression", PACKED)
def test_a_compressed_file_stays_compressed(tmp_path: Path, compression: str) -> None:
    pack, unpack = PACKED[compression]
    pack(to_lines(TEXTS).encode(), tmp_path / "news")
    cut_text(tmp_path, LINES.model_copy(update={"compression": compression}), TEXTS[1])
    if unpack is None:
        with zipfile.ZipFile(tmp_path / "news") as archive:
            assert archive.namelist() == ["inner.jsonl"]
            content = archive.read("inner.jsonl")
    else:
        content = unpack((tmp_path / "news").read_bytes())
    assert content.decode() == to_lines([TEXTS[0], *TEXTS[2:]])


def test_parquet_keeps_its_schema_and_a_folder_its_other_files(tmp_path: Path) -> None:
    schema = pa.schema({"text": pa.string(), "label": pa.dictionary(pa.int8(), pa.string())}, {"by": "them"})
    table = pa.table({"text": TEXTS, "label": pa.array(["a"] * 4).dictionary_encode().cast(schema[1].type)}, schema)
    pa.parquet.write_table(table, tmp_path / "news")
    file = Parquet(format="parquet", path="news", text=["text"], label="label")
    assert cut_text(tmp_path, file, TEXTS[2]) == [("news", 3)]
    after = pa.parquet.read_table(tmp_path / "news")
    assert after.schema.equals(table.schema, check_metadata=True)
    assert after["text"].to_pylist() == [TEXTS[0], TEXTS[1], TEXTS[3]]
    for number, text in enumerate(TEXTS):
        (tmp_path / "files/a").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"files/a/{number}.txt").write_text(text)
    cut_text(tmp_path, Folder(format="folder", path="files"), TEXTS[1])
    assert [path.name for path in sorted((tmp_path / "files/a").iterdir())] == ["0.txt", "2.txt", "3.txt"]


@pytest.mark.parametrize(("year", "unit"), [(9999, "us"), (2004, "ns")])
def test_int96_timestamps_keep_their_values_and_nanoseconds_where_these_fit(
    tmp_path: Path, year: int, unit: str
) -> None:
    instants = pa.array([datetime(year, 12, 31), datetime(2004, 1, 2)], pa.timestamp("us"))
    table = pa.table({"text": TEXTS[:2], "label": ["a", "b"], "when": instants, "share": [0.5, float("nan")]})
    pa.parquet.write_table(table, tmp_path / "news", use_deprecated_int96_timestamps=True)
    cut_text(tmp_path, Parquet(format="parquet", path="news", text=["text"], label="label"), TEXTS[1])
    after = pa.parquet.read_table(tmp_path / "news")["when"]
    assert after.type == pa.timestamp(unit) and after.cast(pa.timestamp("us")).to_pylist() == [datetime(year, 12, 31)]


def test_a_reject_that_shows_the_text_is_cut_too(tmp_path: Path) -> None:
    (tmp_path / "news").write_text("text,label\na text,a\nRain, at last,a\nb text,b\n")
    assert cut_text(tmp_path, CSV, "Rain, at last") == [("news", 3)]
    assert (tmp_path / "news").read_text() == "text,label\na text,a\nb text,b\n"


def test_a_file_whose_other_rows_would_be_read_otherwise_is_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "news").write_text(before := to_lines(TEXTS))
    monkeypatch.setitem(cut._CUT, JsonLines, lambda raw, file, lines, to: to.write_text(to_lines(TEXTS[1:3])))
    with pytest.raises(DataContractError, match="without line 2, its other rows would be read otherwise"):
        cut_text(tmp_path, LINES, TEXTS[1])
    assert (tmp_path / "news").read_text() == before and len(list(tmp_path.iterdir())) == 1
    assert read.read_file(LINES, tmp_path).articles["text"].equals(pl.Series("text", TEXTS))
