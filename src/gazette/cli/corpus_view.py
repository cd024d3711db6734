"""A corpus on a terminal: how its files are read, its first articles, its classes, its rejected rows."""

from collections.abc import Iterator
from typing import Any

import polars as pl
from prefect_dvc.core.escape import escape
from rich.table import Table

from gazette.cli import tables
from gazette.core.articles import count_reasons
from gazette.core.corpus import Corpus, Delimited, File, Folder, Parquet
from gazette.core.encodings import Coding, title
from gazette.core.escape import format_places, quote, tally
from gazette.data.date_formats import describe_format
from gazette.data.ingest import SourceFile
from gazette.data.languages import skipped_checks
from gazette.data.oddities import count_nulls
from gazette.data.readers.columns import DELIMITERS
from gazette.data.readers.read import decode_labels

MAX_ARTICLES = 3  # of each file
MAX_ROWS = 30  # classes or reasons
NOT_ASCII = r"[^\x00-\x7f]"


def describe_layout(file: File) -> str:
    """Return in words how a file is read."""
    if isinstance(file, Folder):
        return f"a folder per class, a file per article; {' or '.join(map(title, file.encodings))}"
    columns = f"text: {' then '.join(map(_column, file.text))}; label: {_column(file.label)}"
    if file.date is not None:
        columns += f"; date: {_column(file.date)}, {describe_format(str(file.date_format))}, {file.time_zone or 'UTC'}"
    if isinstance(file, Delimited):
        quotes = "fields may stand in double quotes" if file.quotes else "double quotes are ordinary characters"
        header = "a header" if file.header else "no header"
        return (
            f"{_coding(file.coding)}; {DELIMITERS.get(file.delimiter, repr(file.delimiter))} separates, {quotes}, "
            f"{header}; {columns}"
        )
    if isinstance(file, Parquet):
        return f"Parquet; {columns}"
    return f"{_coding(file.coding)}, {'a JSON array' if file.format == 'json' else 'JSON lines'}; {columns}"


def _coding(coding: Coding) -> str:
    packed = f", compressed ({coding.compression})" if coding.compression else ""
    return f"{title(coding.encoding or 'utf-8')}{packed}"


def _column(column: str | int) -> str:
    return f"column {column}" if isinstance(column, int) else quote(column)


def show_new_corpus(
    files: list[SourceFile], corpus: Corpus, articles: pl.DataFrame, rejects: pl.DataFrame, max_quarantined: float
) -> None:
    """Print everything about a corpus before it is added; `max_quarantined` is a share of its rows."""
    for file in files:
        tables.show(*_file_parts(file, corpus))
    show_classes(articles, corpus)
    rows = articles.height + rejects.height
    show_rejects(rejects, rows)
    if rejects.height > max_quarantined * rows:
        tables.show(
            f"validate.max_quarantined in params.yaml allows {max_quarantined:.2%}: `gazette run` will stop.", ""
        )
    for column, word, count in count_nulls(articles)[:MAX_ROWS]:
        tables.show(f"The {column} {quote(word)} of {tally(count, 'row')} looks like a null; is it meant?", "")
    for check, why in skipped_checks(corpus.language).items():
        tables.show(f"`gazette run` will skip {check}: {why}.", "")
    in_train = articles.filter(pl.col("split") == "train")["label"].unique().to_list()
    if missing := [label for label in corpus.labels if label not in in_train]:
        tables.show(f"No article of train is of {', '.join(map(quote, missing))}.", "")
    if corpus.numbered_from is None and all(label.isdecimal() for label in corpus.labels):
        tables.show("The labels are numbers; --classes FILE names them.", "")


def _file_parts(file: SourceFile, corpus: Corpus) -> Iterator[str | Table]:
    """Yield a file's layout, size, unused columns, what was tolerated in it, and its first articles."""
    contents = file.contents
    yield f"{file.split}: {file.path}"
    yield f"  {describe_layout(file.file)}"
    yield f"  {tally(contents.articles.height + contents.rejects.height, 'row')}"
    if file.guesses:
        guess, option = " and ".join(map(title, file.guesses)), "" if file.split == "train" else f"{file.split}-"
        yield f"  {guess}: a guess; if letters are wrong below, name the encoding by --{option}encoding"
    if contents.unused:
        yield f"  not used: {', '.join(quote(column) for column in contents.unused[:MAX_ROWS])}"
    yield from (f"  {note}: {count:,}" for note, count in contents.notes.items())
    if "date" in contents.articles.columns and contents.articles["date"].count():
        first, last = contents.articles.select(first=pl.col("date").min(), last=pl.col("date").max()).row(0)
        yield f"  dates from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    shown = contents.articles
    if file.guesses:
        shown = shown.sort(pl.col("text").str.contains(NOT_ASCII), descending=True, maintain_order=True)
    first = decode_labels(shown.head(MAX_ARTICLES), corpus.labels, corpus.numbered_from)
    dated = "date" in first.columns
    rows = [
        {"label": row["label"], "text": escape(row["text"], 150) + ("…" if len(row["text"]) > 150 else "")}
        | ({"date": f"{row['date']:%Y-%m-%d %H:%M}" if row["date"] else ""} if dated else {})
        for row in first.iter_rows(named=True)
    ]
    columns = ("date", "label", "text") if dated else ("label", "text")
    yield tables.build_table(rows, columns, limits={"text": 151})
    yield ""


def show_classes(articles: pl.DataFrame, corpus: Corpus) -> None:
    """Print how many articles each class has in each split."""
    splits = [split for split in ("train", "valid", "test") if split in corpus.files]
    counts = {
        (split, label): rows for split, label, rows in articles.group_by("split", "label").agg(pl.len()).iter_rows()
    }
    rows = [
        {"class": label}
        | ({} if corpus.numbered_from is None else {"number": corpus.numbered_from + position})
        | {split: f"{counts.get((split, label), 0):,}" for split in splits}
        for position, label in enumerate(corpus.labels[:MAX_ROWS])
    ]
    more = len(corpus.labels) - MAX_ROWS
    tables.show(tables.build_table(rows, right=("number", *splits)))
    lone = articles.filter(pl.len().over("label") == 1).select("file", "line", "label")
    warning = f"A class of one article: {format_places(lone.to_dicts())}; is it a footer, or is a label misspelled?"
    tables.show(*([f"and {more:,} more classes"] if more > 0 else []), *([warning] if lone.height else []), "")


def show_rejects(rejects: pl.DataFrame, rows: int) -> None:
    """Print why rows go to quarantine: each kind of reason, how many rows have it, and the first of them."""
    if rejects.is_empty():
        return
    reasons = count_reasons(rejects)
    tables.show(
        f"{rejects.height:,} of {tally(rows, 'row')} ({rejects.height / rows:.2%}) will go to quarantine:",
        *(f"  {count:,} ×, the first at {first}" for _, count, first in reasons.head(MAX_ROWS).iter_rows()),
        *([f"  and {reasons.height - MAX_ROWS:,} other reasons"] if reasons.height > MAX_ROWS else []),
        "",
    )


def show_list(corpora: list[dict[str, Any]]) -> None:
    """Print a row for each described corpus, with an asterisk at the one that params.yaml names."""
    rows = []
    for corpus in corpora:
        unreadable = f"cannot be read: `gazette corpus show {corpus['name']}` says why"
        row = {"": "*" if corpus["chosen"] else "", "corpus": corpus["name"]}
        row |= {key: corpus.get(key, "") for key in ("language", "classes", "splits")}
        rows.append(row | {"files": unreadable if "error" in corpus else corpus["state"]})
    tables.show(tables.build_table(rows))


def show_description(name: str, corpus: Corpus, raw: str, state: str) -> None:
    """Print a corpus's description, and the state of its files."""
    tables.show(
        f"{name} ({corpus.language}), {len(corpus.labels)} classes; files at {raw}: {state}",
        *(
            f"  {split}: {escape(file.path)}: {describe_layout(file)}"
            for split, files in corpus.files.items()
            for file in files
        ),
        f"source: {escape(corpus.source, 1000)}",
        f"terms: {escape(corpus.terms, 1000)}",
        *([] if state == "present" else [f"labels: {', '.join(map(quote, corpus.labels))}"]),  # else a table follows
        "",
    )


def count_rows(articles: pl.DataFrame | None, rejects: pl.DataFrame | None) -> dict[str, Any]:
    """Count rows by split and label, and rejected rows; None for both if the files are missing."""
    if articles is None or rejects is None:
        return {"rows": None, "rejected": None}
    rows: dict[str, dict[str, int]] = {}
    for split, label, count in articles.group_by("split", "label").agg(pl.len()).sort("split", "label").iter_rows():
        rows.setdefault(split, {})[label] = count
    return {"rows": rows, "rejected": rejects.height}
