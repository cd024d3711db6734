"""Articles that somebody wants labelled: in the files of a corpus, as plain lines, or from standard input."""

import sys
from pathlib import Path
from typing import NamedTuple

import polars as pl

from gazette.core.corpus import File, Folder
from gazette.core.errors import BrokenContract, Misconfigured
from gazette.core.escape import shown
from gazette.data import sniffing
from gazette.data.readers import plaintext
from gazette.data.readers.read import read_file
from gazette.data.readers.rows import Contents

TEXT = "text"  # the column, where none is named
MAX_NAME = 50_000  # characters, so that no two names are cut to one


class Source(NamedTuple):
    """What is read in one go: a file of rows, or a folder in which every file is an article."""

    name: str  # how its rows are told from others': the place below what was given
    path: Path
    layout: File | None  # of plain lines there is none
    has_id: bool


def find(path: Path, text: tuple[str, ...] = (), identifier: str | None = None) -> list[Source]:
    """What there is to read at `path`, in order; `text` and `identifier` are columns, as for `gazette corpus add`.

    A folder holds files of rows (by their endings), or files that are articles. A file of another ending is plain
    lines, unless columns are named or it holds JSON lines or Parquet. Raises Misconfigured or BrokenContract.
    """
    if not path.exists():
        raise Misconfigured(f"{path}: no such file")
    if not path.is_dir():
        return [_file(path.name, path, text, identifier)]
    files = sorted(file for file in path.rglob("*") if file.is_file() and not _is_hidden(file.relative_to(path)))
    tables = [file for file in files if file.suffix.lower() in sniffing.CLAIMS]
    if not tables:
        if text or identifier is not None:
            raise Misconfigured(f"{path}: in a folder without CSV, TSV, JSON lines or Parquet every file is an article")
        return [Source(".", path, Folder(format="folder", path="."), False)]
    if other := next((file for file in files if file not in tables), None):
        raise Misconfigured(
            f"{path} holds tables ({tables[0].name}) and others ({other.name}); give one kind at a time"
        )
    return [_file(str(file.relative_to(path)), file, text, identifier) for file in tables]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _file(name: str, path: Path, text: tuple[str, ...], identifier: str | None) -> Source:
    if not text and identifier is None and not sniffing.has_columns(path):
        return Source(shown(name, MAX_NAME), path, None, False)
    columns = sniffing.Columns(text or (TEXT,), identifier, role="id")
    return Source(shown(name, MAX_NAME), path, sniffing.layout(path, columns), identifier is not None)


def read(source: Source) -> Contents:
    """The articles of a source, an identifier in the place of the label, and the rows that could not be read."""
    if isinstance(source.layout, Folder):
        return read_file(source.layout, source.path, labelled=False)
    real = source.path.resolve()
    if source.layout is None:
        found = plaintext.read(real.parent, real.name)
    else:
        here = source.layout.model_copy(update={"path": real.name})
        found = read_file(here, real.parent, labelled=source.has_id)
    articles, rejects = (table.with_columns(file=pl.lit(source.name)) for table in (found.articles, found.rejects))
    return Contents(articles, rejects, found.unused, found.notes)


def texts(path: Path) -> list[str]:
    """All texts at `path`, one for each row; `-` is standard input, one per line.

    Raises BrokenContract where a row cannot be read: each text has its answer, so none may be left out.
    """
    if str(path) == "-":
        return [line.rstrip("\r\n") for line in sys.stdin]
    found: list[str] = []
    for source in find(path):
        contents = read(source)
        if contents.rejects.height:
            first = contents.rejects.row(0, named=True)
            raise BrokenContract(
                f"{path}: {contents.rejects.height:,} rows cannot be read; `gazette score` labels the others. The "
                f"first is in {first['file']}, line {first['line']}: {first['reason']}; seen: {first['seen']}"
            )
        found += contents.articles["text"].to_list()
    return found
