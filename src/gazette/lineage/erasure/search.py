"""Whether a file has an article: text in any encoding, Parquet, and both in compressed files."""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

import polars as pl
import polars.selectors as cs
from prefect_dvc.core.errors import DataContractError

from gazette.core import tables
from gazette.core.encodings import CODECS
from gazette.data.readers.compressed import detect_compression, unpack
from gazette.lineage.erasure.article import Article

CHUNK = 1 << 22
ROWS = 1 << 16
EXCERPTS = ("seen",)  # columns of quarantines and examples
MODELS = ("model.onnx", "weights.h5")  # of a bundle, with what ends like the next
TOKENIZER = "tokenizer.json"


def has_article(path: Path, article: Article, encodings: Sequence[str] = (), whole: bool = True) -> bool:
    """Whether a file has an article, or with `whole` false a part of it.

    `encodings` are those that files of the project may be in.
    """
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(0)
        if head.startswith(b"PAR1"):
            return any(_is_in_column(column, article) for column in _iter_columns(path))
        search = partial(_is_in_text, article=article, encodings=encodings, whole=whole)
        with suppress(DataContractError, zipfile.BadZipFile):  # damaged, or it only looked packed: its bytes are all
            if (kind := detect_compression(head)) == "zip":
                archive = zipfile.ZipFile(file)
                return any(search(_read(archive.open(name))) for name in archive.namelist())
            if kind:
                return search(unpack(file, path, kind))
        file.seek(0)
        return search(_read(file))


def is_model(name: str) -> bool:
    """Whether a file with this name is one of a bundle."""
    return name in MODELS or name.endswith(TOKENIZER)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK), b"")


def _iter_columns(path: Path) -> Iterator[pl.Series]:
    """Yield the columns of texts, part by part, with each value once."""
    rows = tables.scan_parquet(path).select((cs.string() | cs.categorical()).cast(pl.String))
    for start in range(0, tables.scan_parquet(path).select(pl.len()).collect().item(), ROWS):
        yield from (column.unique() for column in rows.slice(start, ROWS).collect())


def _is_in_column(column: pl.Series, article: Article) -> bool:
    if column.name in EXCERPTS:
        return bool(article.shares_words(column).any())
    return bool(article.is_text(column).any()) or (
        column.name != "text" and any(article.is_within(cell) for cell in column.drop_nulls())
    )


def _is_in_text(chunks: Iterator[bytes], article: Article, encodings: Sequence[str], whole: bool) -> bool:
    """Search chunk by chunk; each begins with the end of the one before, in which the article may have begun."""
    overlap, before = 16 * len(article.text) + 1000, b""
    for chunk in chunks:
        content = before + chunk
        if any(article.is_within(text, whole) for text in _decode(content, encodings)):
            return True
        before = content[-overlap:]
    return False


def _decode(content: bytes, encodings: Sequence[str]) -> Iterator[str]:
    yield content.decode("utf-8", "ignore")
    yield from (content.decode(CODECS[encoding], "ignore") for encoding in encodings)
    if b"\0" in content[:1000]:
        for codec in ("utf-16-le", "utf-16-be"):  # a chunk may begin within a character
            yield from (content[start:].decode(codec, "ignore") for start in (0, 1))
