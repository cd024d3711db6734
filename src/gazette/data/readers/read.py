"""What the raw files of a corpus hold, read as its description says."""

from pathlib import Path
from typing import Any

import polars as pl

from gazette.core.corpus import Corpus, Delimited, File, Folder, JsonLines
from gazette.data.readers import delimited, folder, jsonlines, parquet
from gazette.data.readers.rows import Contents


def read(corpus: Corpus, raw: Path) -> tuple[pl.DataFrame, pl.DataFrame, list[dict[str, Any]]]:
    """Articles (text, label, split, file, line), rejects (split, file, line, reason, seen), and an account per file.

    Every row of a raw file comes back once, in one of the two; an account says how many there were.
    """
    articles, rejects, accounts = [], [], []
    for split, files in sorted(corpus.files.items()):
        for file in files:
            found = read_file(file, raw)
            articles.append(found.articles.with_columns(split=pl.lit(split)))
            rejects.append(found.rejects.with_columns(split=pl.lit(split)))
            accounts.append({"split": split, "file": file.path, **found.account})
    named = name_labels(pl.concat(articles), corpus.labels, corpus.numbered_from)
    return (
        named.select("text", "label", "split", "file", "line"),
        pl.concat(rejects).select("split", "file", "line", "reason", "seen"),
        accounts,
    )


def read_file(file: File, raw: Path, labelled: bool = True) -> Contents:
    """What one raw file, or folder of files, holds; of new articles (`labelled` false) there are only the texts."""
    if isinstance(file, Folder):
        return folder.read(raw, file.path, labelled)
    if isinstance(file, Delimited):
        label = file.label if labelled else None
        return delimited.read(raw, file.path, file.delimiter, file.quotes, file.header, file.text, label)
    read_rows = jsonlines.read if isinstance(file, JsonLines) else parquet.read
    return read_rows(raw, file.path, file.text, file.label if labelled else None)


def name_labels(articles: pl.DataFrame, labels: list[str], numbered_from: int | None) -> pl.DataFrame:
    """Labels that are numbers by their names; a number that has none stays what it is."""
    if numbered_from is None:
        return articles
    names = {str(number): label for number, label in enumerate(labels, numbered_from)}
    return articles.with_columns(pl.col("label").replace(names))
