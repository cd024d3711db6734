"""New articles to label: in files like those of a corpus, as plain lines, or from standard input."""

import itertools
import logging
import shutil
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import polars as pl
from prefect_dvc.core.errors import ConfigError, DataContractError
from prefect_dvc.core.escape import escape

from gazette.core.corpus import File, Folder
from gazette.core.encodings import PLAIN, Coding, title
from gazette.core.escape import tally
from gazette.data import sniffing
from gazette.data.coding import NO_HINTS, Hints, detect_coding
from gazette.data.readers import plaintext
from gazette.data.readers.columns import Columns
from gazette.data.readers.read import read_file
from gazette.data.readers.rows import WHITE, ReadResult, Take

logger = logging.getLogger(__name__)
TEXT = "text"  # the default column
MAX_NAME = 50_000  # characters; long enough that no two names are truncated to the same one


class Source(NamedTuple):
    """A file of rows, or a folder in which every file is an article."""

    name: str  # the path below the one to score, which identifies its rows
    path: Path
    layout: File | None  # None for plain lines
    identifier: str | None  # the column
    coding: Coding = PLAIN  # of plain lines


class Reading(NamedTuple):
    """What is known of the articles: columns and hints, as for `gazette corpus add`."""

    text: tuple[str, ...] = ()
    identifier: str | None = None
    hints: Hints = NO_HINTS


ANY = Reading()


def find_sources(path: Path, reading: Reading = ANY) -> list[Source]:
    """List the sources at `path`, in order.

    A folder holds files of rows (by their suffixes), or files that are articles. A file with another suffix is plain
    lines, unless columns are named or it holds JSON lines or Parquet. Beside files of rows, `_SUCCESS` and others that
    begin alike, which Spark leaves, are passed over. Raises ConfigError or DataContractError.
    """
    if not path.exists():
        raise ConfigError(f"{path}: no such file")
    if is_stream(path):
        raise ConfigError(f"{path}: a pipe, expected a file or a folder; write it to a file first")
    if not path.is_dir():
        return [_file(path.name, path, reading)]
    files = sorted(file for file in path.rglob("*") if file.is_file() and not _is_hidden(file.relative_to(path)))
    tables = [file for file in files if sniffing.claimed_format(file)]
    if not tables:
        if reading.text or reading.identifier is not None:
            raise ConfigError(f"{path}: in a folder without CSV, TSV, JSON lines or Parquet every file is an article")
        layout = sniffing.detect_layout(path, Columns((TEXT,), None), reading.hints)
        return [Source(".", path, layout, None)]
    if article := next((file for file in files if file not in tables and not file.name.startswith("_")), None):
        raise ConfigError(
            f"{path} has tables ({tables[0].name}) and articles ({article.name}); score one kind at a time"
        )
    return [_file(str(file.relative_to(path)), file, reading) for file in tables]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _file(name: str, path: Path, reading: Reading) -> Source:
    text, identifier, hints = reading
    coding = _coding(path, reading)
    is_table = text or identifier is not None or hints.delimiter is not None
    if not is_table and not sniffing.has_columns(path, coding):
        return Source(escape(name, MAX_NAME), path, None, None, coding)
    layout = sniffing.detect_layout(
        path, Columns(text or (TEXT,), identifier, role="id"), hints._replace(encoding=coding.encoding)
    )
    return Source(escape(name, MAX_NAME), path, layout, identifier)


def _coding(path: Path, reading: Reading) -> Coding:
    coding = detect_coding(path, "--encoding", reading.hints)
    if reading.hints.encoding is None and coding.encoding != "utf-8":
        logger.warning("%s is read as %s; --encoding names another", path, title(str(coding.encoding)))
    return coding


def read_source(source: Source, take: Take) -> ReadResult:
    """Read a source and pass its articles and rejects on in parts; an identifier is in the place of the label."""
    if isinstance(source.layout, Folder):
        return read_file(source.layout, source.path, labeled=False, take=take)
    name = pl.lit(source.name).alias("file")

    def pass_on(part: ReadResult) -> None:
        part = part if source.identifier is None else _reject_empty(part, source.identifier)
        take(ReadResult(part.articles.with_columns(name), part.rejects.with_columns(name)))

    real = source.path.resolve()
    if source.layout is None:
        return plaintext.read_lines(real.parent, real.name, source.coding, pass_on)
    file = source.layout.model_copy(update={"path": real.name})
    return read_file(file, real.parent, source.identifier is not None, pass_on, skip_empty=False)


def _reject_empty(part: ReadResult, column: str) -> ReadResult:
    """Return the rows, those without an identifier among the rejects: CSV has no null, which readers reject."""
    is_empty = pl.col("label").str.strip_chars(WHITE) == ""
    rejects = part.articles.filter(is_empty).select(
        "file",
        "line",
        pl.lit(f"no value: {column!r} is empty, expected an identifier").alias("reason"),
        pl.col("text").map_elements(escape, return_dtype=pl.String).alias("seen"),
    )
    return ReadResult(part.articles.filter(~is_empty), pl.concat([part.rejects, rejects]))


def read_texts(path: Path, hints: Hints = NO_HINTS) -> list[str]:
    """Read all texts at `path`, one for each row; `-` is standard input, read as a file without a suffix.

    Raises DataContractError if a row cannot be read: each text gets a prediction, so none may be skipped.
    """
    reading = Reading(hints=hints)
    if not is_stream(path):
        return _all_texts(find_sources(path, reading))
    with tempfile.TemporaryDirectory() as box:
        copy = Path(box).resolve() / "standard input"
        with copy.open("wb") as file, nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as stream:
            shutil.copyfileobj(stream, file)
        try:
            return _all_texts([_file(copy.name, copy, reading)]) if copy.stat().st_size else []
        except (ConfigError, DataContractError) as error:
            raise type(error)(str(error).replace(str(copy), copy.name)) from None


def is_stream(path: Path) -> bool:
    """Check whether `path` is `-`, a pipe or a terminal, which can be read only once."""
    return str(path) == "-" or (path.exists() and not path.is_dir() and not path.is_file())


def _all_texts(sources: list[Source]) -> list[str]:
    texts: list[str] = []
    for source in sources:
        parts: list[ReadResult] = []
        read_source(source, parts.append)
        rejects = pl.concat(part.rejects for part in parts)
        if rejects.height:
            first = rejects.row(0, named=True)
            raise DataContractError(
                f"{source.path}: {tally(rejects.height, 'row')} cannot be read; `gazette score` labels the others. The "
                f"first is in {first['file']}, line {first['line']}: {first['reason']}; seen: {first['seen']}"
            )
        texts += itertools.chain.from_iterable(part.articles["text"] for part in parts)
    return texts
