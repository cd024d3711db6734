"""How `data/corpora/<name>.yaml` describes a corpus: its language, its labels, and how its raw files are read."""

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, field_validator, model_validator

from gazette.core import files as records
from gazette.core.errors import parse

Split = Literal["train", "valid", "test"]


def _inside(path: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError("a path leads out of the corpus's folder; expected one below it")
    return path


Inside = Annotated[str, AfterValidator(_inside)]


class Folder(BaseModel, frozen=True, extra="forbid"):
    """A folder with one folder per class; a file is an article, its first line the title."""

    format: Literal["folder"]
    path: Inside = "."


class Delimited(BaseModel, frozen=True, extra="forbid"):
    """A file of separated values; a column is a name from the header or, without one, a position from 1."""

    format: Literal["csv"]
    path: Inside
    delimiter: str = Field(",", min_length=1, max_length=1)
    quotes: bool = True  # whether a field may stand in double quotes; otherwise they are ordinary characters
    header: bool
    text: list[str | int] = Field(min_length=1)  # joined by a line break, in this order
    label: str | int

    @field_validator("delimiter")
    @classmethod
    def _parts_fields(cls, delimiter: str) -> str:
        if delimiter in '"\r\n\0':
            raise ValueError("a quote, a line break or NUL cannot part fields")
        return delimiter

    @model_validator(mode="after")
    def _columns_suit_the_header(self) -> "Delimited":
        for column in [*self.text, self.label]:
            if self.header and isinstance(column, int):
                raise ValueError(f"column {column} is a position, but the file has a header: give the column's name")
            if not self.header and (isinstance(column, str) or column < 1):
                raise ValueError(f"column {column!r}: without a header, columns are positions from 1")
        return self


class JsonLines(BaseModel, frozen=True, extra="forbid"):
    """A file with a JSON object per line; a column is a key."""

    format: Literal["jsonl"]
    path: Inside
    text: list[str] = Field(min_length=1)
    label: str


class Parquet(BaseModel, frozen=True, extra="forbid"):
    """A Parquet file; a line is a row's number."""

    format: Literal["parquet"]
    path: Inside
    text: list[str] = Field(min_length=1)
    label: str


File = Annotated[Folder | Delimited | JsonLines | Parquet, Field(discriminator="format")]


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
