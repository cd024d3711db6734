"""What is shown of a corpus on a terminal: how its files are read, its first articles, its classes, what is wrong."""

from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from gazette.core.articles import kinds
from gazette.core.corpus import Corpus, Delimited, File, Folder
from gazette.core.escape import quoted, shown
from gazette.data.ingest import Given
from gazette.data.readers.columns import DELIMITERS
from gazette.data.readers.read import name_labels

ARTICLES = 3  # that are shown of each file
MOST = 30  # classes or reasons that are listed


def console() -> Console:
    """A terminal on which nothing of a corpus is taken for markup."""
    return Console(markup=False, highlight=False, emoji=False)


def layout(file: File) -> str:
    """How a file is read, in words."""
    if isinstance(file, Folder):
        return "a folder per class, a file per article"
    columns = f"text: {' then '.join(map(_column, file.text))}; label: {_column(file.label)}"
    if isinstance(file, Delimited):
        quotes = "fields may stand in double quotes" if file.quotes else "double quotes are ordinary characters"
        header = "a header" if file.header else "no header"
        return f"{DELIMITERS.get(file.delimiter, repr(file.delimiter))} separates, {quotes}, {header}; {columns}"
    return f"{'JSON lines' if file.format == 'jsonl' else 'Parquet'}; {columns}"


def _column(column: str | int) -> str:
    return f"column {column}" if isinstance(column, int) else quoted(column)


def show(given: list[Given], corpus: Corpus, articles: pl.DataFrame, rejects: pl.DataFrame, allowed: float) -> None:
    """All that is known of a corpus before it is added; `allowed` is the share of rows that may be in quarantine."""
    to, rows = console(), articles.height + rejects.height
    for one in given:
        show_file(one, corpus, to)
    show_classes(articles, corpus, to)
    show_rejects(rejects, rows, to)
    if rejects.height > allowed * rows:
        to.print(
            f"validate.max_quarantined in params.yaml allows {allowed:.2%}: `gazette run` will stop.", "", sep="\n"
        )
    learned = articles.filter(pl.col("split") == "train")["label"].unique().to_list()
    if unlearned := [label for label in corpus.labels if label not in learned]:
        to.print(f"No article of train is of {', '.join(map(quoted, unlearned))}.", "", sep="\n", soft_wrap=True)
    if corpus.numbered_from is None and all(label.isdecimal() for label in corpus.labels):
        to.print("The labels are numbers; --classes FILE names them.", "", sep="\n")


def show_file(given: Given, corpus: Corpus, to: Console) -> None:
    """How a file was understood: its layout, its first articles, what nothing uses, what was let pass."""
    found = given.contents
    to.print(f"{given.split}: {given.path}", f"  {layout(given.file)}", sep="\n", soft_wrap=True)
    to.print(f"  {found.articles.height + found.rejects.height:,} rows", soft_wrap=True)
    if found.unused:
        to.print(f"  not used: {', '.join(quoted(column) for column in found.unused[:MOST])}", soft_wrap=True)
    for note, count in found.notes.items():
        to.print(f"  {note}: {count:,}", soft_wrap=True)
    first = name_labels(found.articles.head(ARTICLES), corpus.labels, corpus.numbered_from)
    articles = Table("label", "text", header_style="bold", box=None)
    for label, text in first.select("label", "text").iter_rows():
        articles.add_row(shown(label, 60), shown(text, 150) + ("…" if len(text) > 150 else ""))
    to.print(articles, "")


def show_classes(articles: pl.DataFrame, corpus: Corpus, to: Console) -> None:
    """How many articles each class has in each split."""
    splits = [split for split in ("train", "valid", "test") if split in corpus.files]
    number = [] if corpus.numbered_from is None else ["number"]
    table = Table("class", header_style="bold", box=None)
    for title in (*number, *splits):
        table.add_column(title, justify="right")
    counts = {
        (split, label): rows for split, label, rows in articles.group_by("split", "label").agg(pl.len()).iter_rows()
    }
    for place, label in enumerate(corpus.labels[:MOST]):
        rows = [f"{counts.get((split, label), 0):,}" for split in splits]
        table.add_row(shown(label, 60), *(str(place + (corpus.numbered_from or 0)) for _ in number), *rows)
    to.print(table)
    if len(corpus.labels) > MOST:
        to.print(f"and {len(corpus.labels) - MOST:,} more classes")
    to.print("")


def show_rejects(rejects: pl.DataFrame, rows: int, to: Console) -> None:
    """Why rows will go to quarantine: each kind of reason, how many rows have it, and the first of them."""
    if rejects.is_empty():
        return
    reasons = kinds(rejects)
    to.print(f"{rejects.height:,} of {rows:,} rows ({rejects.height / rows:.2%}) will go to quarantine:")
    for _, count, first in reasons.head(MOST).iter_rows():
        to.print(f"  {count:,} ×, the first at {first}", soft_wrap=True)
    if reasons.height > MOST:
        to.print(f"  and {reasons.height - MOST:,} other reasons")
    to.print("")


def show_list(corpora: list[dict[str, Any]]) -> None:
    """A row for each corpus that is described; an asterisk at the one that params.yaml names."""
    table = Table("", "corpus", "language", "classes", "splits", "files", box=None, header_style="bold")
    for row in corpora:
        if "error" in row:
            told = ["", "", "", f"cannot be read: `gazette corpus show {row['name']}` says why"]
        else:
            told = [row["language"], str(row["classes"]), ", ".join(row["splits"]), row["state"]]
        table.add_row("*" if row["chosen"] else "", row["name"], *told)
    console().print(table)


def show_description(name: str, corpus: Corpus, raw: str, state: str) -> None:
    """What a description says, and whether the files are there."""
    to = console()
    to.print(f"{name} ({corpus.language}), {len(corpus.labels)} classes; files at {raw}: {state}", soft_wrap=True)
    for split, files in corpus.files.items():
        for file in files:
            to.print(f"  {split}: {shown(file.path)}: {layout(file)}", soft_wrap=True)
    to.print(f"source: {shown(corpus.source, 1000)}", f"terms: {shown(corpus.terms, 1000)}", sep="\n", soft_wrap=True)
    if state != "there":  # else a table of them follows
        to.print(f"labels: {', '.join(map(quoted, corpus.labels))}", soft_wrap=True)
    to.print("")


def counted(articles: pl.DataFrame | None, rejects: pl.DataFrame | None) -> dict[str, Any]:
    """Rows by split and label, and how many could not be read; null where the files are not there."""
    if articles is None or rejects is None:
        return {"rows": None, "rejected": None}
    rows: dict[str, dict[str, int]] = {}
    for split, label, count in articles.group_by("split", "label").agg(pl.len()).sort("split", "label").iter_rows():
        rows.setdefault(split, {})[label] = count
    return {"rows": rows, "rejected": rejects.height}
