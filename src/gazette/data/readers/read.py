"""The raw files of a corpus, read as its description says."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from gazette.core.corpus import Corpus, Delimited, File, Folder, JsonArray, JsonLines, Parquet
from gazette.data.readers import delimited, folder, jsonlines, parquet
from gazette.data.readers.dates import INSTANT, add_dates
from gazette.data.readers.rows import ReadResult, Take, strip_labels

READERS: dict[type, Callable[..., ReadResult]] = {
    Delimited: delimited.read_delimited,
    JsonLines: jsonlines.read_json,
    JsonArray: jsonlines.read_json,
    Parquet: parquet.read_parquet,
}
FLOAT = ".0"  # ends a label that is a number where pandas wrote a column with gaps


def read_corpus(corpus: Corpus, raw: Path) -> tuple[pl.DataFrame, pl.DataFrame, list[dict[str, Any]]]:
    """Return articles (text, label, split, file, line), rejects (split, file, line, reason, seen), and counts per file.

    If any file has dates, articles have the column `date` too.

    Every row of a raw file is in exactly one of the two tables.
    """
    parts: list[tuple[pl.DataFrame, pl.DataFrame]] = []
    accounts = read_parts(corpus, raw, lambda *part: parts.append(part))
    articles, rejects = map(pl.concat, zip(*parts, strict=True))
    return articles, rejects, accounts


def read_parts(corpus: Corpus, raw: Path, take: Callable[[pl.DataFrame, pl.DataFrame], None]) -> list[dict[str, Any]]:
    """Read as `read_corpus` does, but pass articles and rejects on to `take`, part by part; return counts per file."""
    return [
        {"split": split, "file": file.path, **_read_parts(corpus, raw, split, file, take)}
        for split, files in sorted(corpus.files.items())
        for file in files
    ]


def _read_parts(
    corpus: Corpus, raw: Path, split: str, file: File, take: Callable[[pl.DataFrame, pl.DataFrame], None]
) -> dict[str, Any]:
    columns = ["text", "label", "split", "file", "line", *(["date"] if corpus.is_dated else [])]
    rows, notes = Counter[str](), Counter[str]()

    def pass_on(part: ReadResult) -> None:
        part = strip_labels(part, corpus.labels)
        if not isinstance(file, Folder) and file.date is not None and corpus.until is not None:
            part = add_dates(part, file, corpus.until)
        articles = decode_labels(part.articles, corpus.labels, corpus.numbered_from)
        if corpus.is_dated and "date" not in articles.columns:
            articles = articles.with_columns(date=pl.lit(None, INSTANT))
        rows.update(articles=articles.height, rejected=part.rejects.height)
        notes.update(part.notes)
        in_split = pl.lit(split).alias("split")
        take(
            articles.with_columns(in_split).select(columns),
            part.rejects.with_columns(in_split).select("split", "file", "line", "reason", "seen"),
        )

    result = read_file(file, raw, take=pass_on)
    notes.update(result.notes)
    return result.account | {"rows": rows.total(), **rows, "notes": dict(sorted(notes.items()))}


def read_file(
    file: File, raw: Path, labeled: bool = True, take: Take | None = None, skip_empty: bool = True
) -> ReadResult:
    """Read one raw file, or folder of files; without labels (`labeled` is false), only the texts of new articles.

    Rows that are empty all over are skipped only among those with labels, and with `skip_empty`. With `take`, rows are
    passed on to it, part by part, and the result has only what is known of the whole file.
    """
    if isinstance(file, Folder):
        return folder.read_folder(raw, file, labeled, take)
    return READERS[type(file)](raw, file, labeled, take, skip_empty)


def decode_labels(articles: pl.DataFrame, labels: list[str], numbered_from: int | None) -> pl.DataFrame:
    """Replace numeric labels by their names; a number without a name stays as it is."""
    if numbered_from is None:
        return articles
    names = {f"{number}{end}": label for number, label in enumerate(labels, numbered_from) for end in ("", FLOAT)}
    return articles.with_columns(pl.col("label").replace(names))
