"""The layout of a user's file, detected from a sample: its format, and how its columns are read."""

import json
import re
from contextlib import suppress
from pathlib import Path

from gazette.core.corpus import File, Folder, JsonLines, Parquet
from gazette.core.encodings import PLAIN, Coding
from gazette.core.errors import DataContractError
from gazette.core.limits import MAX_LINE
from gazette.data.dialect import detect_dialect
from gazette.data.readers.columns import Columns, check_columns
from gazette.data.readers.compressed import detect_compression
from gazette.data.readers.folder import list_files
from gazette.data.readers.lines import iter_lines
from gazette.data.readers.open import HEAD_BYTES, check_kind, detect_kind, open_raw
from gazette.data.survey import BOMS

SAMPLE_BYTES = 1 << 20  # some thousand rows, so that a single bad one decides nothing
FORMATS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zstd", ".zip")
FORMAT_NAMES = {"csv": "separated values", "jsonl": "JSON lines", "parquet": "Parquet"}


def detect_layout(path: Path, columns: Columns, language: str | None = None, encoding: str | None = None) -> File:
    """Detect how the file or folder at `path` is laid out; the `path` of the result is its bare name.

    The language of the texts helps to tell their encoding, if that is not given. Raises DataContractError if content
    and name disagree, ConfigError if a column is missing or the encoding is not certain.
    """
    option = f"{columns.option}encoding"
    if path.is_dir():
        names = [encoding] if encoding else _folder_encodings(path, language, option)
        return Folder(format="folder", path=".", encoding=names[0], other_encoding=next(iter(names[1:]), None))
    coding = detect_coding(path, option, language, encoding)
    sample, content = _read_sample(path, coding)
    claimed = claimed_format(path) or content
    if claimed != content:
        raise DataContractError(
            f"{path} contains {FORMAT_NAMES[content]}, but its name says {FORMAT_NAMES[claimed]}; one of them is wrong"
        )
    if content == "csv":
        return detect_dialect(sample, path, columns).model_copy(update=coding._asdict())
    text, label = list(columns.text), columns.last
    if content == "jsonl":
        if keys := _json_keys(path, coding, columns):
            check_columns(keys, path, columns)
        return JsonLines(format="jsonl", path=path.name, text=text, label=label).model_copy(update=coding._asdict())
    from gazette.data.readers import parquet  # imports pyarrow

    check_columns(parquet.read_columns(path.resolve().parent, path.resolve().name), path, columns)
    return Parquet(format="parquet", path=path.name, text=text, label=label)


def has_columns(path: Path, coding: Coding) -> bool:
    """Tell whether a file has columns, by its name or, for JSON lines and Parquet, by its content."""
    return claimed_format(path) is not None or _read_sample(path, coding)[1] != "csv"


def detect_coding(path: Path, option: str, language: str | None = None, encoding: str | None = None) -> Coding:
    """Return how a file is compressed, and its encoding if that is not given; `option` names it where it is asked for.

    Raises DataContractError if it is not text, ConfigError if the encoding is not certain.
    """
    real = path.resolve()
    with open_raw(real.parent, real.name) as file:
        compression = detect_compression(file.read(HEAD_BYTES))
    with open_raw(real.parent, real.name, Coding(None, compression)) as file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        if head.startswith(b"PAR1"):
            if compression:
                raise DataContractError(f"{path} is Parquet, compressed once more ({compression}); unpack it first")
            return PLAIN
        if (kind := detect_kind(head)) and not head.startswith(tuple(BOMS)):
            raise DataContractError(f"{path} is {kind}")
        if encoding is None:
            from gazette.data.encoding import detect_encoding

            encoding = detect_encoding(file, path, language, option)
    return Coding(encoding, compression)


def _folder_encodings(path: Path, language: str | None, option: str) -> list[str]:
    from gazette.data.encoding import detect_folder

    files = (file for file in list_files(path) if file.is_file() and file.stat().st_size <= MAX_LINE)
    contents = (content for file in files if not _is_binary(content := file.read_bytes()))
    return detect_folder(contents, path, language, option)


def _is_binary(content: bytes) -> bool:
    return detect_kind(content[:HEAD_BYTES]) is not None and not content.startswith(tuple(BOMS))


def claimed_format(path: Path) -> str | None:
    """Return the format that a name claims, also below the suffix of a compression: `news.csv.gz`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return FORMATS.get(next((suffix for suffix in reversed(suffixes) if suffix not in PACKED), ""))


def _read_sample(path: Path, coding: Coding) -> tuple[bytes, str]:
    """Return the first whole lines of a file in UTF-8, and its format."""
    real = path.resolve()
    with open_raw(real.parent, real.name, coding) as file:
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


def _json_keys(path: Path, coding: Coding, columns: Columns) -> list[str]:
    """Return the keys of all objects up to the one that completes the columns: a writer may leave out nulls."""
    keys: dict[str, None] = {}
    real = path.resolve()
    with open_raw(real.parent, real.name, coding) as file:
        for line in iter_lines(file):
            with suppress(ValueError, RecursionError):  # the reader reports a bad line
                record = json.loads(line.text)
                keys.update(dict.fromkeys(record if isinstance(record, dict) else ()))
            if keys.keys() >= set(columns.all):
                break
    return list(keys)
