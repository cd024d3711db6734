"""A corpus: how `data/corpora/<name>.yaml` describes raw files, and DuckDB reading them row by row.

Every row of a raw file comes back once, as an article or as a reject with file, line and reason.
"""

import csv
import re
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Literal

import duckdb
import numpy as np
import polars as pl
from pydantic import BaseModel, Field, model_validator
from ruamel.yaml import YAML

from gazette.errors import BrokenContract, Misconfigured

Split = Literal["train", "valid", "test"]

REJECTS = {"split": pl.String, "file": pl.String, "line": pl.Int64, "reason": pl.String, "seen": pl.String}
SEEN = 200  # characters of a rejected row that are kept


class Folder(BaseModel, frozen=True, extra="forbid"):
    """A folder with one folder per class; a file is an article, its first line the title."""

    format: Literal["folder"]
    path: str = "."


class Delimited(BaseModel, frozen=True, extra="forbid"):
    """A file of separated values; a column is a name from the header or, without one, a position from 1."""

    format: Literal["csv", "tsv"]  # tsv: separated by tabs, quotes are ordinary characters
    path: str
    header: bool
    text: list[str | int] = Field(min_length=1)  # joined by a line break, in this order
    label: str | int


File = Annotated[Folder | Delimited, Field(discriminator="format")]


class Package(BaseModel, frozen=True, extra="forbid"):
    """A wheel of a package index that holds a corpus in one of its folders."""

    package: str  # name==version
    sha256: str
    folder: str


class Corpus(BaseModel, frozen=True, extra="forbid"):
    """What `data/corpora/<name>.yaml` says: the language, the labels, the files, where they come from."""

    language: Literal["en", "zh"]
    labels: list[str] = Field(min_length=2)
    numbered_from: int | None = None  # labels in the files are numbers, the first label this one
    files: dict[Split, list[File]]
    fetch: Package | None = None
    source: str
    terms: str

    @model_validator(mode="after")
    def _train_is_there(self) -> "Corpus":
        if not self.files.get("train"):
            raise ValueError("`files` has no `train`: name at least one file to learn from")
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("`labels` names a class twice")
        return self


def describe(path: Path) -> Corpus:
    """The corpus described at `path`; a key that is missing, unknown or of the wrong type is refused by name."""
    if not path.exists():
        raise Misconfigured(f"{path}: no such description; `corpus:` in params.yaml names one of data/corpora/*.yaml")
    return Corpus(**YAML(typ="safe").load(path))


def read(corpus: Corpus, raw: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Articles (text, label, split, file, line) and rejects (split, file, line, reason, seen) of the raw files."""
    articles, rejects = [], []
    for split, files in sorted(corpus.files.items()):
        for file in files:
            reader = _read_folder if isinstance(file, Folder) else _read_delimited
            good, bad = reader(file, raw)  # type: ignore[arg-type]
            articles.append(good.with_columns(split=pl.lit(split)))
            rejects.append(bad.with_columns(split=pl.lit(split)))
    named = _name_labels(pl.concat(articles), corpus)
    return named.select("text", "label", "split", "file", "line"), pl.concat(rejects).select(*REJECTS)


def _name_labels(articles: pl.DataFrame, corpus: Corpus) -> pl.DataFrame:
    if corpus.numbered_from is None:
        return articles
    names = {str(number): label for number, label in enumerate(corpus.labels, corpus.numbered_from)}
    return articles.with_columns(pl.col("label").replace(names))


def _read_folder(file: Folder, raw: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    top = raw / file.path
    rows = duckdb.sql(
        "select filename, content, try(decode(content)) as text from read_blob($glob) order by filename",
        params={"glob": f"{top}/*/*"},
    ).pl()
    if rows.is_empty():
        raise BrokenContract(f"{top}: no files in folders; expected one folder per class with one file per article")
    paths = rows["filename"].map_elements(lambda name: Path(name).relative_to(top).as_posix(), return_dtype=pl.String)
    rows = rows.with_columns(
        file=paths,
        label=paths.str.split("/").list.first(),
        line=pl.lit(1, pl.Int64),
        text=pl.col("text").str.strip_chars(),
    )
    bad = rows.filter(pl.col("text").is_null())
    rejects = [_not_utf8(name, content) for name, content in bad.select("file", "content").iter_rows()]
    return (
        rows.filter(pl.col("text").is_not_null()).select("text", "label", "file", "line"),
        pl.DataFrame(
            rejects, schema=[key for key in REJECTS if key != "split"], schema_overrides=REJECTS, orient="row"
        ),
    )


def _not_utf8(file: str, content: bytes) -> tuple[str, int, str, str]:
    text = content.decode("utf-8", "surrogateescape")
    bad = next(re.finditer("[\udc80-\udcff]", text))
    line = text.count("\n", 0, bad.start()) + 1
    around = text[max(0, bad.start() - SEEN // 2) : bad.start() + SEEN // 2]
    return (
        file,
        line,
        f"not UTF-8: byte 0x{ord(bad.group()) - 0xDC00:x} (save the file as UTF-8)",
        around.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"),
    )


def _read_delimited(file: Delimited, raw: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    path = raw / file.path
    delimiter, quote = {"csv": (",", '"'), "tsv": ("\t", "")}[file.format]
    columns = _columns(file, path, delimiter)
    database = duckdb.connect()
    rows = database.sql(
        f"""select * from read_csv($path, header={file.header}, delim=$delimiter, quote=$quote, escape=$quote,
            columns={{{", ".join(f"'{column}': 'VARCHAR'" for column in columns.values())}}}, auto_detect=false,
            store_rejects=true, strict_mode=true)""",
        params={"path": str(path), "delimiter": delimiter, "quote": quote},
    ).pl()
    errors = database.sql(
        """select any_value(line_byte_position - 1) as at, any_value(csv_line) as seen,
            string_agg(lower(error_type) || ': ' || error_message, '; ') as reason
            from reject_errors group by line_byte_position order by 1"""
    ).pl()
    breaks = _line_breaks(path)
    errors = _locate(errors, breaks)
    heights = rows.select(
        1 + pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True).fill_null(0))
    ).to_series()
    taken = dict(errors.select("line", "height").iter_rows()) | dict.fromkeys(_blank_lines(breaks), 1)
    articles = rows.select(
        text=pl.concat_str([pl.col(columns[column]).fill_null("") for column in file.text], separator="\n"),
        label=pl.col(columns[file.label]).fill_null(""),
        file=pl.lit(file.path),
        line=pl.Series(_lines(heights, taken, start=1 + file.header), dtype=pl.Int64),
    )
    rejects = errors.with_columns(file=pl.lit(file.path), seen=pl.col("seen").str.slice(0, SEEN))
    return articles, rejects.select("file", "line", "reason", "seen")


def _columns(file: Delimited, path: Path, delimiter: str) -> dict[str | int, str]:
    """Name or position from 1 of each column, to the name that it has in the query."""
    if not path.exists():
        raise BrokenContract(
            f"{path}: no such file; the corpus's description names it (is the corpus fetched or pulled?)"
        )
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        first = next(csv.reader(lines, delimiter=delimiter), [])
    columns = {name if file.header else position: f"c{position}" for position, name in enumerate(first, 1)}
    for wanted in [*file.text, file.label]:
        if wanted not in columns:
            raise BrokenContract(
                f"{path}, line 1: no column {wanted!r} among {[*columns]}; correct the corpus's description or the file"
            )
    return columns


def _line_breaks(path: Path) -> np.ndarray:
    """Offsets of the line feeds of a file, read in blocks so that memory does not grow with its text."""
    with path.open("rb") as file:
        blocks = iter(lambda: file.read(1 << 24), b"")
        found = [(np.flatnonzero(np.frombuffer(block, np.uint8) == 10), len(block)) for block in blocks]
    starts = accumulate((size for _, size in found), initial=0)
    return np.concatenate(
        [offsets + start for (offsets, _), start in zip(found, starts, strict=False)] or [np.array([], int)]
    )


def _blank_lines(breaks: np.ndarray) -> list[int]:
    return [int(line) for line in np.flatnonzero(np.diff(breaks, prepend=-1) == 1) + 1]


def _locate(errors: pl.DataFrame, breaks: np.ndarray) -> pl.DataFrame:
    """Adds line and height (in lines) to rejects, which DuckDB places by byte; its own line counts rows."""
    blank = pl.col("seen").str.extract(r"^(\n*)").str.len_bytes().cast(pl.Int64)
    text = pl.col("seen").str.strip_chars("\n")
    first = pl.Series(np.searchsorted(breaks, errors["at"].to_numpy()) + 1, dtype=pl.Int64)
    return errors.with_columns(
        line=first + blank, height=1 + text.str.count_matches("\n", literal=True).cast(pl.Int64), seen=text
    ).sort("line")


def _lines(heights: pl.Series, taken: dict[int, int], start: int) -> list[int]:
    """First line of each accepted row: rows follow one another, but for the lines `taken` by rejects and blanks."""
    lines, line = [], start
    for height in heights:
        while line in taken:
            line += taken[line]
        lines.append(line)
        line += height
    return lines
