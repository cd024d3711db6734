"""The layout of a user's file, detected from a sample: its format, and how its columns are read."""

import json
import re
from contextlib import suppress
from pathlib import Path

from gazette.core.corpus import File, Folder, JsonLines, Parquet
from gazette.core.errors import DataContractError
from gazette.data.dialect import detect_dialect
from gazette.data.readers.columns import Columns, check_columns
from gazette.data.readers.lines import iter_lines
from gazette.data.readers.open import check_kind, open_raw

SAMPLE_BYTES = 1 << 20  # some thousand rows, so that a single bad one decides nothing
FORMATS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
FORMAT_NAMES = {"csv": "separated values", "jsonl": "JSON lines", "parquet": "Parquet"}


def detect_layout(path: Path, columns: Columns) -> File:
    """Detect how the file or folder at `path` is laid out; the `path` of the result is its bare name.

    Raises DataContractError if content and name disagree, ConfigError if a column is missing.
    """
    if path.is_dir():
        return Folder(format="folder", path=".")
    sample, content = _read_sample(path)
    claimed = FORMATS.get(path.suffix.lower(), content)
    if claimed != content:
        raise DataContractError(
            f"{path} contains {FORMAT_NAMES[content]}, but its name says {FORMAT_NAMES[claimed]}; one of them is wrong"
        )
    if content == "csv":
        return detect_dialect(sample, path, columns)
    text, label = list(columns.text), columns.last
    if content == "jsonl":
        if keys := _json_keys(path, columns):
            check_columns(keys, path, columns)
        return JsonLines(format="jsonl", path=path.name, text=text, label=label)
    from gazette.data.readers import parquet  # imports pyarrow

    check_columns(parquet.read_columns(path.resolve().parent, path.resolve().name), path, columns)
    return Parquet(format="parquet", path=path.name, text=text, label=label)


def has_columns(path: Path) -> bool:
    """Tell whether a file has columns, by its name or, for JSON lines and Parquet, by its content."""
    return path.suffix.lower() in FORMATS or _read_sample(path)[1] != "csv"


def _read_sample(path: Path) -> tuple[bytes, str]:
    """Return the first whole lines of a file, and its format."""
    real = path.resolve()
    with open_raw(real.parent, real.name) as file:
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
    starts = [line.lstrip()[:1] for line in sample.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()]
    is_json = re.match(rb"\s*\[\s*\{", sample) or starts.count(b"{") * 2 > len(starts)
    return "jsonl" if is_json or starts[:1] == [b"{"] else "csv"


def _json_keys(path: Path, columns: Columns) -> list[str]:
    """Return the keys of all objects up to the one that completes the columns: a writer may leave out nulls."""
    keys: dict[str, None] = {}
    real = path.resolve()
    with open_raw(real.parent, real.name) as file:
        for line in iter_lines(file):
            with suppress(ValueError, RecursionError):  # the reader reports a bad line
                record = json.loads(line.text)
                keys.update(dict.fromkeys(record if isinstance(record, dict) else ()))
            if keys.keys() >= set(columns.all):
                break
    return list(keys)
