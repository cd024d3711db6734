"""A corpus: how `data/corpora/<name>.yaml` describes raw files, and what they hold."""

from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from pydantic import BaseModel, Field, model_validator

from gazette import rawfiles, records
from gazette.errors import parse

Split = Literal["train", "valid", "test"]


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
    return parse(Corpus, records.read_yaml(path), str(path))


def read(corpus: Corpus, raw: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Articles (text, label, split, file, line) and rejects (split, file, line, reason, seen) of the raw files.

    Every row of a raw file comes back once, in one of the two.
    """
    articles, rejects = [], []
    for split, files in sorted(corpus.files.items()):
        for file in files:
            good, bad = _read_file(file, raw)
            articles.append(good.with_columns(split=pl.lit(split)))
            rejects.append(bad.with_columns(split=pl.lit(split)))
    named = _name_labels(pl.concat(articles), corpus)
    return (
        named.select("text", "label", "split", "file", "line"),
        pl.concat(rejects).select("split", "file", "line", "reason", "seen"),
    )


def _read_file(file: File, raw: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    if isinstance(file, Folder):
        return rawfiles.read_folder(raw / file.path)
    delimiter, quote = {"csv": (",", '"'), "tsv": ("\t", "")}[file.format]
    return rawfiles.read_delimited(raw, file.path, delimiter, quote, file.header, file.text, file.label)


def _name_labels(articles: pl.DataFrame, corpus: Corpus) -> pl.DataFrame:
    if corpus.numbered_from is None:
        return articles
    names = {str(number): label for number, label in enumerate(corpus.labels, corpus.numbered_from)}
    return articles.with_columns(pl.col("label").replace(names))
