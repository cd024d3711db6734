"""The layout of a user's file, detected from a sample: its format, and how its columns are read."""

import json
import re
import shlex
from contextlib import suppress
from pathlib import Path

from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.core.corpus import OVERLAY, File, Folder, JsonArray, JsonLines, Parquet
from gazette.core.dates import UNDECIDED
from gazette.core.encodings import Coding
from gazette.data.coding import NO_HINTS, Hints, detect_coding, folder_encodings
from gazette.data.dialect import detect_dialect
from gazette.data.readers.columns import Columns, check_columns
from gazette.data.readers.folder import list_files
from gazette.data.readers.jsonarray import iter_elements
from gazette.data.readers.lines import BOM, iter_lines
from gazette.data.readers.open import check_kind, open_file

SAMPLE_BYTES = 1 << 20  # some thousand rows, so that a single bad one decides nothing
FORMATS = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
OBJECT = re.compile(rb"\s*\{\s*([\"'}]|$)")  # no text in braces
ARRAY = re.compile(rb"\s*\[\s*(\{\s*[\"'}]|\]\s*$)")
VALUES = re.compile(  # arrays: of strings, a number before a string, or arrays
    rb'\[\s*(?:"(?:[^"\\\r\n]|\\.)*"\s*(?:,\s*["\d\[{]|\]\s*(?:\n|$))|-?\d+\s*,\s*"|\[\s*["\d])'
)
FASTTEXT = re.compile(rb"__label__[^\s,;|]+ +\S")
STATEMENT = re.compile(rb"(?:CREATE TABLE|DROP TABLE|INSERT INTO) [\w`\"\[]")
WRAPPED = re.compile(rb'\{\s*(?:"[^"]*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[\w.+-]+)\s*,\s*)*"(\w+)"\s*:\s*\[\s*\{')
JSON = {"json", "jsonl"}  # each is found under the other's name
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zstd", ".zip")
FORMAT_NAMES = {"csv": "separated values", "json": "a JSON array", "jsonl": "JSON lines", "parquet": "Parquet"}


def detect_layout(path: Path, columns: Columns, hints: Hints = NO_HINTS) -> File:
    """Detect how the file or folder at `path` is laid out; the `path` of the result is its bare name.

    Raises DataContractError if content and name disagree, ConfigError if a column is missing, the encoding is not
    certain, a folder has tables, or the name is that of an overlay.
    """
    option = f"{columns.option}encoding"
    if path.is_dir():
        _check_articles(path)
        names = folder_encodings(path, option, hints)
        return Folder(format="folder", path=".", encoding=names[0], other_encoding=next(iter(names[1:]), None))
    if path.name == OVERLAY:
        raise ConfigError(f"{path}: a corpus has its corrections in a file of this name; rename the file")
    coding = detect_coding(path, option, hints)
    sample, content = _read_sample(path, coding)
    if content == "csv":
        _check_known(sample, path, columns.label is not None and columns.role == "label")
    claimed = claimed_format(path) or content
    if claimed != content and not {claimed, content} <= JSON:
        raise DataContractError(
            f"{path} contains {FORMAT_NAMES[content]}, but its name says {FORMAT_NAMES[claimed]}; one of them is wrong"
        )
    if content == "csv":
        return detect_dialect(sample, path, columns, hints.delimiter, hints.header).model_copy(update=coding._asdict())
    text, label = list(columns.text), columns.last
    dates = {"date": columns.date, "date_format": columns.date and UNDECIDED}
    if content in JSON:
        keys = _json_keys(path, coding, columns, content == "json")
        if not set(columns.all) <= set(keys):
            _check_not_wrapped(sample, path)
        if keys:
            check_columns(keys, path, columns)
        about = {"format": content, "path": path.name, "text": text, "label": label, **dates, **coding._asdict()}
        return (JsonArray if content == "json" else JsonLines).model_validate(about)
    from gazette.data.readers import parquet  # imports pyarrow

    check_columns(parquet.read_columns(path.resolve().parent, path.resolve().name), path, columns)
    return Parquet.model_validate({"format": "parquet", "path": path.name, "text": text, "label": label, **dates})


def _check_articles(folder: Path) -> None:
    """Raise ConfigError if files in a folder are tables by their names: each would be read as one article."""
    tables = [file for file in list_files(folder) if claimed_format(file)]
    if tables:
        raise ConfigError(
            f"{tables[0]}: by their names, files in {folder} are tables ({len(tables):,}), but a file in a folder is "
            "one article, and the folder around it its label. Pass each table by itself instead of the folder, with a "
            "column for the label; if each is the text of one article, name it .txt"
        )


def has_columns(path: Path, coding: Coding) -> bool:
    """Tell whether a file has columns, by its name or, for JSON lines and Parquet, by its content."""
    sample, content = _read_sample(path, coding)
    return claimed_format(path) is not None or content != "csv" or VALUES.match(sample.removeprefix(BOM)) is not None


def claimed_format(path: Path) -> str | None:
    """Return the format that a name claims, also below the suffix of a compression: `news.csv.gz`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return FORMATS.get(next((suffix for suffix in reversed(suffixes) if suffix not in PACKED), ""))


def _read_sample(path: Path, coding: Coding) -> tuple[bytes, str]:
    """Return the first whole lines of a file in UTF-8, and its format."""
    with open_file(path, coding) as file:
        sample = file.read(SAMPLE_BYTES)
        content = _detect_format(sample)
        file.seek(0)
        if content != "parquet":
            check_kind(file, path)
    whole = sample if len(sample) < SAMPLE_BYTES else sample[: sample.rfind(b"\n") + 1] or sample
    return whole, content


def _detect_format(sample: bytes) -> str:
    if sample.startswith(b"PAR1"):
        return "parquet"
    text = sample.removeprefix(BOM)
    if ARRAY.match(text):
        return "json"
    starts = [OBJECT.match(line) is not None for line in text.splitlines() if line.strip()]
    return "jsonl" if sum(starts) * 2 > len(starts) or starts[:1] == [True] else "csv"


def _check_known(sample: bytes, path: Path, labeled: bool) -> None:
    """Raise DataContractError if lines are of a format that would pass for separated values, but is not read."""
    text = sample.removeprefix(BOM).lstrip()
    if VALUES.match(text):
        raise DataContractError(
            f"{path} has JSON arrays of values, which do not name their columns; write an object for each article: "
            '{"text": "…", "label": "…"}'
        )
    if STATEMENT.match(text):
        raise DataContractError(f"{path} has statements of SQL; load them into a database, and export the table as CSV")
    if labeled and FASTTEXT.match(text):
        raise DataContractError(
            f"{path}, line 1: `__label__`, a blank and a text, as fastText reads; put a tab in the place of that blank "
            f"(sed -E 's/^__label__([^ ]+) /\\1\\t/' {path.name} > news.tsv): label is column 1, text column 2"
        )


def _check_not_wrapped(sample: bytes, path: Path) -> None:
    """Raise DataContractError if a file is one object in which the articles are a list: `{"data": [{…}, …]}`."""
    wrapped = WRAPPED.match(sample.removeprefix(BOM).lstrip())
    if wrapped and sum(line.startswith(b"{") for line in sample.removeprefix(BOM).splitlines()) == 1:
        key = wrapped[1].decode()
        raise DataContractError(
            f"{path} is one JSON object, with the articles in its list {key!r}; write an object on each line "
            f"(jq -c '.{key}[]' {shlex.quote(path.name)} > news.jsonl)"
        )


def _json_keys(path: Path, coding: Coding, columns: Columns, is_array: bool) -> list[str]:
    """Return the keys of all objects up to the one that completes the columns: a writer may leave out nulls."""
    keys: dict[str, None] = {}
    with open_file(path, coding) as file:
        for line in iter_elements(file, path) if is_array else iter_lines(file):
            with suppress(ValueError, RecursionError):  # the reader reports a bad line
                record = json.loads(line.text)
                keys.update(dict.fromkeys(record if isinstance(record, dict) else ()))
            if keys.keys() >= set(columns.all):
                break
    return list(keys)
