"""Files made to exhaust a machine: each is refused, or costs what it should, in bounded memory and time."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prefect_dvc.core.errors import DataContractError
from pydantic import ValidationError

from gazette.core import corpus
from gazette.data.readers.read import read_corpus
from gazette.data.readers.rows import RowCollector

MEMORY = 500  # MB, the interpreter with polars and pyarrow included
SECONDS = 60
MB = 1 << 20
READ = r"""
import json, re, resource, sys
from pathlib import Path
from gazette.core import corpus
from prefect_dvc.core.errors import DataContractError
from gazette.data.readers.read import read_corpus
about, raw = json.loads(sys.argv[1]), Path(sys.argv[2])
described = corpus.Corpus(language="en", labels=["a", "b"], files={"train": [about]}, source="here", terms="none")
try:
    articles, rejects, accounts = read_corpus(described, raw)
    outcome = {"articles": articles.height, "rejects": rejects.height, "reasons": rejects["reason"].head(3).to_list()}
except DataContractError as stop:
    outcome = {"stop": str(stop)}
status = Path("/proc/self/status")  # `ru_maxrss` of Linux includes the parent's
if status.exists():
    outcome["peak"] = int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024
else:
    outcome["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
print(json.dumps(outcome))
"""


class Outcome(NamedTuple):
    """The result of reading a file in another process."""

    articles: int
    rejects: int
    reasons: list[str]
    stop: str
    peak: float


def read(raw: Path, about: dict[str, Any], name: str = "all") -> Outcome:
    """Read the file and check what it costs."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", READ, json.dumps({"path": name} | about), str(raw)], stdout=subprocess.PIPE, check=True
    )
    outcome = Outcome(**{"articles": 0, "rejects": 0, "reasons": [], "stop": ""} | json.loads(done.stdout))
    print(f"{outcome.peak:.0f} MB, {time.monotonic() - started:.1f} s")
    assert outcome.peak < MEMORY
    assert time.monotonic() - started < SECONDS
    return outcome


CSV = {"format": "csv", "header": True, "text": ["text"], "label": "label"}
JSONL = {"format": "jsonl", "text": ["text"], "label": "label"}
PARQUET = {"format": "parquet", "text": ["text"], "label": "label"}
TEXTS = [
    pytest.param(CSV, id="CSV"),
    pytest.param(CSV | {"quotes": False}, id="without quotes"),
    pytest.param(JSONL, id="JSON lines"),
]
FORMATS = [*TEXTS, pytest.param(PARQUET, id="Parquet")]


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    shutil.rmtree(tmp_path)


def repeated(path: Path, block: bytes, size: int, head: bytes = b"label,text\na,First.\n", tail: bytes = b"") -> None:
    """Write `size` bytes of whole blocks between head and tail."""
    big = block * max(MB // len(block), 1)
    with path.open("wb") as file:
        file.write(head)
        for _ in range(size // len(big)):
            file.write(big)
        file.write(tail)


# Size


@pytest.mark.slow
def test_a_field_of_a_gigabyte_is_a_reject_and_its_neighbors_are_kept(tmp_path: Path) -> None:
    with (tmp_path / "all").open("wb") as file:
        file.write(b"label,text\na,First.\na,")
        file.seek(1 << 30, os.SEEK_CUR)
        file.write(b"\nb,Last.\n")
    outcome = read(tmp_path, CSV)
    assert (outcome.articles, outcome.rejects) == (2, 1)
    assert "line too long: more than 1,048,576 bytes" in outcome.reasons[0]


@pytest.mark.slow
def test_a_quoted_field_of_a_gigabyte_on_one_line_is_a_reject_and_its_neighbors_are_kept(tmp_path: Path) -> None:
    with (tmp_path / "all").open("wb") as file:
        file.write(b'label,text\na,First.\na,"')
        file.seek(1 << 30, os.SEEK_CUR)
        file.write(b'"\nb,Last.\n')
    outcome = read(tmp_path, CSV)
    assert (outcome.articles, outcome.rejects) == (2, 1)


@pytest.mark.slow
def test_a_quoted_field_of_many_lines_is_rejected_line_by_line_and_its_neighbors_are_kept(
    tmp_path: Path,
) -> None:
    line = b"x" * 99_999 + b"\n"
    repeated(tmp_path / "all", line, 256 * MB, b'label,text\na,First.\na,"', b'"\nb,Last.\n')
    outcome = read(tmp_path, CSV)
    assert outcome.articles == 2
    assert "never closed (within 100,000 characters)" in outcome.reasons[0]


@pytest.mark.parametrize("about", FORMATS)
def test_a_file_of_ten_gigabytes_is_refused_before_it_is_read(tmp_path: Path, about: dict[str, Any]) -> None:
    with (tmp_path / "all").open("wb") as file:
        file.truncate(10 << 30)
    assert "has 10.0 GiB; at most 4 GiB are read: split it" in read(tmp_path, about).stop


@pytest.mark.slow
@pytest.mark.parametrize("header", [True, False])
def test_a_million_columns_are_refused(tmp_path: Path, header: bool) -> None:
    row = b",".join(b"%d" % n for n in range(1_000_000)) + b"\n"
    repeated(tmp_path / "all", row, 50 * MB, b"")
    columns = {} if header else {"text": [2], "label": 1}
    assert "line 1: " in read(tmp_path, CSV | {"header": header} | columns).stop


@pytest.mark.slow
def test_a_million_empty_columns_in_every_row_are_refused(tmp_path: Path) -> None:
    repeated(tmp_path / "all", b"," * 1_000_000 + b"\n", 120 * MB, b"")
    message = read(tmp_path, CSV | {"header": False, "text": [2], "label": 1}).stop
    assert "1,000,001 columns; at most 1,000 are read" in message


@pytest.mark.slow
def test_a_hundred_thousand_columns_of_parquet_are_refused(tmp_path: Path) -> None:
    names = ["label", "text", *(f"c{n}" for n in range(100_000))]
    pq.write_table(pa.table([pa.array(["a"])] * len(names), names=names), tmp_path / "all")
    assert "at most 1,000 columns are read" in read(tmp_path, PARQUET).stop


# Quotes


@pytest.mark.slow
def test_a_quote_that_is_never_closed_costs_one_line_of_a_hundred_megabytes(tmp_path: Path) -> None:
    line = b"b,A line of about one hundred characters, give or take, as a short article of some newspaper has.\n"
    line = line.replace(b"characters,", b"characters").replace(b"take,", b"take")
    repeated(tmp_path / "all", line, 100 * MB, b'label,text\na,"First.\n')
    outcome = read(tmp_path, CSV)
    assert outcome.rejects == 1
    assert outcome.articles > 1_000_000


@pytest.mark.slow
def test_a_quote_that_is_never_closed_in_every_line_breaks_the_file_as_a_whole(tmp_path: Path) -> None:
    line = b'b,"A line of about one hundred characters give or take as a short article of some newspaper has it.\n'
    repeated(tmp_path / "all", line, 100 * MB, tail=b"b,Last.\n")
    message = read(tmp_path, CSV).stop
    assert "more than 200,000 rows cannot be read; does its description match? The last, line 200003:" in message


@pytest.mark.slow
@pytest.mark.parametrize("line", [b'x","\n', b'a,"",x","\n', b'x","' + b"y" * 5_000 + b"\n"])
def test_quotes_that_are_opened_again_in_every_line_are_refused(tmp_path: Path, line: bytes) -> None:
    repeated(tmp_path / "all", line, 100 * MB)
    outcome = read(tmp_path, CSV)
    assert "unclosed quotes, here and many times before" in outcome.stop


# Kinds


def test_a_bomb_of_gzip_or_zip_is_not_unpacked(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "all", "wb", compresslevel=1) as file:
        for _ in range(200):
            file.write(bytes(MB))
    assert "compressed with gzip" in read(tmp_path, CSV).stop
    with zipfile.ZipFile(tmp_path / "all", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("all.csv", bytes(200 * MB))
    assert "a zip archive" in read(tmp_path, JSONL).stop


GIANT = """
import sys
import pyarrow as pa, pyarrow.parquet as pq
giant = pa.array(["x" * (400 << 20)])
column = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), giant)
table = pa.table({"label": pa.array(["a"] * 1000), "text": column})
pq.write_table(table, sys.argv[1], compression=sys.argv[2])
"""
LONG = """
import sys
import pyarrow as pa, pyarrow.parquet as pq
table = pa.table({"label": ["a"] * 10_000, "text": ["x" * 90_000] * 10_000})
pq.write_table(table, sys.argv[1], compression="zstd", use_dictionary=sys.argv[2] == "dictionary")
"""


@pytest.mark.slow
@pytest.mark.parametrize("compression", ["zstd", "snappy"])
def test_a_giant_value_of_parquet_is_not_unpacked(tmp_path: Path, compression: str) -> None:
    subprocess.run([sys.executable, "-c", GIANT, tmp_path / "all", compression], check=True)
    assert "write the file again with smaller pages" in read(tmp_path, PARQUET).stop


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["plain", "dictionary"])
def test_a_parquet_file_that_unpacks_to_many_times_its_size_is_refused(tmp_path: Path, encoding: str) -> None:
    subprocess.run([sys.executable, "-c", LONG, tmp_path / "all", encoding], check=True)
    assert "decompresses to more than 50 times its size" in read(tmp_path, PARQUET).stop


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("about", FORMATS)
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (pipe, "is not a regular file; expected a text file"),
        (device, "symlink points outside the corpus folder"),
        (Path.mkdir, "is a folder; expected a text file"),
        (lambda path: path.symlink_to(path), "no such file"),
    ],
    ids=["pipe", "device", "folder", "link to itself"],
)
def test_what_is_no_file_is_refused_without_being_opened(
    tmp_path: Path, about: dict[str, Any], make: Callable[[Path], None], message: str
) -> None:
    make(tmp_path / "all")
    assert message in read_here(tmp_path, about)


def describe(about: dict[str, Any]) -> corpus.Corpus:
    fields: dict[str, Any] = {"language": "en", "labels": ["a", "b"], "files": {"train": [about]}}
    return corpus.Corpus(**fields, source="here", terms="none")


def read_here(raw: Path, about: dict[str, Any]) -> str:
    """Return why the file is refused."""
    described = describe({"path": "all"} | about)
    with pytest.raises(DataContractError) as stop:
        read_corpus(described, raw)
    return str(stop.value)


# Places


@pytest.mark.parametrize("about", FORMATS)
def test_a_link_out_of_the_corpus_is_refused_even_to_a_good_file(tmp_path: Path, about: dict[str, Any]) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "secret").write_text("label,text\na,Secret.\n")
    (tmp_path / "raw/all").symlink_to(tmp_path / "secret")
    message = read_here(tmp_path / "raw", about)
    assert "symlink points outside the corpus folder" in message
    assert "Secret" not in message


def test_a_folder_that_leads_out_of_the_corpus_is_refused_as_well(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/all").write_text("label,text\na,Secret.\n")
    (tmp_path / "raw/inner").symlink_to(tmp_path / "other")
    assert "symlink points outside the corpus folder" in read_here(tmp_path / "raw", CSV | {"path": "inner/all"})
    assert "symlink points outside the corpus folder" in read_here(
        tmp_path / "raw", {"format": "folder", "path": "inner"}
    )


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a/../../b"])
@pytest.mark.parametrize("about", [*FORMATS, pytest.param({"format": "folder"}, id="folder")])
def test_a_description_that_leads_out_of_the_corpus_is_refused_by_name(about: dict[str, Any], path: str) -> None:
    with pytest.raises(ValidationError, match="leads out of the corpus's folder"):
        describe(about | {"path": path})


# Change


@pytest.mark.parametrize("about", FORMATS)
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, about: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "all"
    if about["format"] == "parquet":
        pq.write_table(pa.table({"label": ["a"], "text": ["One."]}), path)
    else:
        path.write_text('{"label": "a", "text": "One."}\n' if about["format"] == "jsonl" else "label,text\na,One.\n")
    count = RowCollector._count

    def meanwhile(rows: RowCollector, *number: int) -> None:
        with path.open("ab") as file:
            file.write(b"\n")
        count(rows, *number)

    monkeypatch.setattr(RowCollector, "_count", meanwhile)
    assert "changed while it was read; try again when nothing writes to it" in read_here(tmp_path, about)


# Depth


@pytest.mark.parametrize("opened", ["[", '{"a":'])
def test_json_that_is_nested_deeply_is_a_reject_and_its_neighbors_are_kept(tmp_path: Path, opened: str) -> None:
    good = '{"label": "a", "text": "One."}\n'
    (tmp_path / "all").write_text(good + '{"label": "a", "text": "x", "b": ' + opened * 100_000 + "\n" + good)
    outcome = read(tmp_path, JSONL)
    assert (outcome.articles, outcome.rejects) == (2, 1)
    assert "not JSON" in outcome.reasons[0]


def test_an_object_with_a_hundred_thousand_keys_is_a_reject(tmp_path: Path) -> None:
    many = json.dumps({"label": "a", "text": "x"} | {f"{n}": 1 for n in range(80_000)})
    (tmp_path / "all").write_text(f'{{"label": "a", "text": "One."}}\n{many}\n')
    outcome = read(tmp_path, JSONL)
    assert (outcome.articles, outcome.rejects) == (1, 1)
    assert "80,002 keys; at most 1,000 are read" in outcome.reasons[0]
