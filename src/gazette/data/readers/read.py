"""The raw files of a corpus, read as its description says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from gazette.core.corpus import Corpus, Delimited, File, Folder, JsonArray, JsonLines, Parquet
from gazette.data.readers import delimited, folder, jsonlines, parquet
from gazette.data.readers.dates import add_dates
from gazette.data.readers.rows import ReadResult, Take, strip_labels

READERS: dict[type, Callable[..., ReadResult]] = {
    Folder: folder.read_folder,
    Delimited: delimited.read_delimited,
    JsonLines: jsonlines.read_json,
    JsonArray: jsonlines.read_json,
    Parquet: parquet.read_parquet,
}


def read_corpus(corpus: Corpus, raw: Path) -> tuple[pl.DataFrame, pl.DataFrame, list[dict[str, Any]]]:
    """Return articles (text, label, split, file, line), rejects (split, file, line, reason, seen), and counts per file.

    If any file has dates, articles have the column `date` too.

    Every row of a raw file is in exactly one of the two tables.
    """
    articles, rejects, accounts = [], [], []
    for split, files in sorted(corpus.files.items()):
        for file in files:
            result = strip_labels(read_file(file, raw), corpus.labels)
            if not isinstance(file, Folder) and file.date is not None and corpus.until is not None:
                result = add_dates(result, file, corpus.until)
            articles.append(result.articles.with_columns(split=pl.lit(split)))
            rejects.append(result.rejects.with_columns(split=pl.lit(split)))
            accounts.append({"split": split, "file": file.path, **result.account})
    named = decode_labels(pl.concat(articles, how="diagonal"), corpus.labels, corpus.numbered_from)
    dates = ["date"] if corpus.is_dated else []
    return (
        named.select("text", "label", "split", "file", "line", *dates),
        pl.concat(rejects).select("split", "file", "line", "reason", "seen"),
        accounts,
    )


def read_file(file: File, raw: Path, labeled: bool = True, take: Take | None = None) -> ReadResult:
    """Read one raw file, or folder of files; without labels (`labeled` is false), only the texts of new articles.

    With `take`, rows are passed on to it, part by part, and the result has only what is known of the whole file.
    """
    return READERS[type(file)](raw, file, labeled, take)


def decode_labels(articles: pl.DataFrame, labels: list[str], numbered_from: int | None) -> pl.DataFrame:
    """Replace numeric labels by their names; a number without a name stays as it is."""
    if numbered_from is None:
        return articles
    names = {str(number): label for number, label in enumerate(labels, numbered_from)}
    return articles.with_columns(pl.col("label").replace(names))
