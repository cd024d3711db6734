"""What a comparison or an audit of corpora found, on a terminal."""

from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from gazette.cli.corpus_view import console
from gazette.core.escape import shown
from gazette.data.validation.inspect import Inspection


def breaches(side: Inspection) -> list[str]:
    """What the contract holds against a corpus, a line each."""
    lines = [f"{f['severity']}: {f['expects']} Observed: {f['observed']}" for f in side.findings if not f["success"]]
    held = [f"{side.rejects.height:,} rows in quarantine"] if side.rejects.height else []
    return held + lines


def show(before: str, after: str, figures: dict[str, Any], changes: pl.DataFrame, rows: int) -> None:
    """Counts, shares and lengths side by side, then the first articles of each change."""
    to = console()
    to.print("  ".join(f"{name} {count:,}" for name, count in figures["changes"].items()), "", sep="\n")
    sides = Table("", before, after, box=None, header_style="bold")
    old, new = figures["before"], figures["after"]
    sides.add_row("articles", f"{old['rows']:,}", f"{new['rows']:,}")
    for label in sorted(old["shares"] | new["shares"]):
        sides.add_row(shown(label, 60), *(f"{side['shares'].get(label, 0):.2%}" for side in (old, new)))
    for quantile in old["characters"]:
        sides.add_row(f"characters, {quantile}", *(f"{side['characters'][quantile] or 0:,.0f}" for side in (old, new)))
    to.print(sides, "")
    for word, lines in figures["contract"].items():
        to.print(
            f"The contract on {word}:", *(f"  {line}" for line in lines or ["keeps it"]), "", sep="\n", soft_wrap=True
        )
    for change in ("relabelled", "added", "gone", "moved"):
        for row in changes.filter(pl.col("change") == change).head(rows).iter_rows(named=True):
            labels = {row["label_before"], row["label"]} - {None}
            was = f"{row['label_before']} → {row['label']}" if len(labels) == 2 else f"{labels.pop()}"
            place = f"{shown(row['file'])}, line {row['line']}"
            to.print(f"{change}  {place}  {shown(was, 80)}  {shown(row['text'], 100)}", soft_wrap=True)


def show_estimate(estimate: pl.DataFrame, suspects: int, path: Path) -> None:
    """How many labels of each class are estimated to be wrong, and where the suspects are."""
    table = Table("label", "articles", "estimated errors", "mostly", box=None, header_style="bold")
    for label, rows, wrong, mostly in estimate.iter_rows():
        table.add_row(shown(label, 60), f"{rows:,}", f"{wrong:,}", shown(mostly or "", 60))
    to = console()
    to.print(table, "")
    to.print(
        f"{suspects:,} suspects in {path}, the likeliest first. Nothing was changed: correct what is wrong in the raw "
        "files, then `dvc add` and `gazette run`.",
        soft_wrap=True,
    )
