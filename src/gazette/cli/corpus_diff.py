"""The results of comparing and auditing corpora on a terminal."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from prefect_dvc.core.escape import escape

from gazette.cli import tables
from gazette.core.escape import tally
from gazette.data.overlay import describe
from gazette.data.validation.breaches import explain_breaches, render_breaches
from gazette.data.validation.inspect import Inspection

MAX_CHANGES, MAX_TEXTS = 30, 5  # of corrections


def list_breaches(side: Inspection, bounds: Mapping[str, Any]) -> list[str]:
    """Return what breaks the contract in a corpus, a line each."""
    unmet = explain_breaches(side.report, side.rejects, side.examples, bounds)
    quarantined = [f"{tally(side.rejects.height, 'row')} in quarantine"] if side.rejects.height else []
    return quarantined + render_breaches(unmet)


def show_diff(before: str, after: str, figures: dict[str, Any], changes: pl.DataFrame, max_rows: int) -> None:
    """Print counts, shares and lengths side by side, then the first `max_rows` articles of each change."""
    tables.show(
        "  ".join(f"{name} {count:,}" for name, count in figures["changes"].items()),
        "",
        tables.build_table(_sides(figures), {"": "", "before": before, "after": after}, limits={"": 60}),
        "",
    )
    for name, lines in figures["contract"].items():
        tables.show(f"The contract on {name}:", *(f"  {line}" for line in lines or ["kept"]), "")
    for name, corrections in figures.get("corrections", {}).items():
        overlay = f", overlay {corrections['md5']}" if corrections else ""
        lines = describe(corrections) or ["none"]
        tables.show(f"Corrections of {name}{overlay}:", *(f"  {line}" for line in lines), "")
    for change in (name for name in figures["changes"] if name != "same"):
        tables.show(*map(_line, changes.filter(pl.col("change") == change).head(max_rows).iter_rows(named=True)))


def _sides(figures: dict[str, Any]) -> Iterator[dict[str, str]]:
    sides = {side: figures[side] for side in ("before", "after")}
    yield {"": "articles"} | {side: f"{data['rows']:,}" for side, data in sides.items()}
    for label in sorted(sides["before"]["shares"] | sides["after"]["shares"]):
        yield {"": label} | {side: f"{data['shares'].get(label, 0):.2%}" for side, data in sides.items()}
    for quantile in sides["before"]["characters"]:
        lengths = {side: f"{data['characters'][quantile] or 0:,.0f}" for side, data in sides.items()}
        yield {"": f"characters, {quantile}"} | lengths


def _line(row: dict[str, Any]) -> str:
    labels = " → ".join(dict.fromkeys(label for label in (row["label_before"], row["label"]) if label is not None))
    place = f"{escape(row['file'])}, line {row['line']}"
    return f"{row['change']}  {place}  {escape(labels, 80)}  {escape(row['text'], 100)}"


def show_estimate(estimate: pl.DataFrame, suspects: int, path: Path, name: str) -> None:
    """Print how many labels of each class are estimated to be wrong, and where the suspects are listed."""
    rows = [
        {"label": label, "articles": f"{articles:,}", "estimated errors": f"{errors:,}", "mostly": mostly or ""}
        for label, articles, errors, mostly in estimate.iter_rows()
    ]
    tables.show(
        tables.build_table(rows, limits={"label": 60, "mostly": 60}, right=("articles", "estimated errors")),
        "",
        f"{suspects:,} suspects in {path}, the most likely errors first. Nothing was changed: fill in `correct_label`, "
        f"then `gazette corpus correct {name} {path}`."
        if suspects
        else f"No suspects: {path} is a header without rows.",
    )


def show_corrections(outcomes: pl.DataFrame, meanings: Mapping[str, str]) -> None:
    """Print how many texts have which outcome, which labels change how often, and the first texts."""
    counts = outcomes.group_by("source", "outcome").agg(pl.col("key").n_unique()).sort("source", "outcome")
    rows = [
        {"source": source, "texts": f"{count:,}", "outcome": meanings[outcome]}
        for source, outcome, count in counts.iter_rows()
    ]
    changed = outcomes.filter(pl.col("outcome").is_in(["relabeled", "train_only", "added"]))
    labels = (
        changed.group_by("was", "label").len("texts").sort("texts", "was", "label", descending=[True, False, False])
    )
    changes = [
        {"before": was or "", "after": label, "texts": f"{texts:,}"}
        for was, label, texts in labels.head(MAX_CHANGES).iter_rows()
    ]
    tables.show(tables.build_table(rows, right=("texts",)), "")
    if changes:
        tables.show(tables.build_table(changes, right=("texts",)), "")
    for row in changed.head(MAX_TEXTS).iter_rows(named=True):
        tables.show(f"{row['place']}  {escape(row['label'], 60)}  {escape(row['text'], 100)}")
