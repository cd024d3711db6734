"""Corrections of a corpus: an overlay of labels and articles over its raw files, which stay as they are.

`corrections.jsonl` in the folder of raw files has a line for each text, label and source. Texts are compared as
everywhere in a corpus, after normalization.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from prefect_dvc.core.errors import DataContractError

from gazette.core import files
from gazette.core.articles import unknown_label_reason
from gazette.core.corpus import OVERLAY
from gazette.core.escape import quote
from gazette.core.normalization import normalize
from gazette.data import dedup

RANKS = {"added": 0, "volunteered": 1, "asked": 2, "disagreement": 2, "audit": 2}  # sources; a higher one wins
KINDS = ("label", "article")  # of an article that was in the raw files when it was written, or of a new one
FIELDS = ("text", "label", "source", "kind", "when", "who")
# What becomes of a line. If an article is in several rows, the first that holds for one of them.
OUTCOMES = ("relabeled", "train_only", "withheld", "unchanged", "known", "added", "absent", "superseded", "disputed")
MAX_CONTRADICTIONS = 5


def parse_overlay(content: bytes, path: Path) -> pl.DataFrame:
    """Return the lines of an overlay: FIELDS, line, place (for messages) and key."""
    lines = [(number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip()]
    rows = [{"line": n, "place": f"{path}, line {n}"} | _parse(line, f"{path}, line {n}") for n, line in lines]
    return to_frame(rows)


def _parse(line: bytes, place: str) -> dict[str, str]:
    record = files.parse_line(line, FIELDS, place)
    for name, known in (("source", RANKS), ("kind", KINDS)):
        if record[name] not in known:
            raise DataContractError(f"{place}: `{name}` is {quote(record[name])}, expected {', '.join(known)}")
    return record


def to_frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Return rows of FIELDS, line and place as a table with their keys."""
    table = pl.DataFrame(rows, schema=dict.fromkeys(FIELDS, pl.String) | {"line": pl.Int64, "place": pl.String})
    return table.with_columns(key=normalize(table["text"]))


def check_labels(overlay: pl.DataFrame, labels: list[str]) -> None:
    """Raise DataContractError, with the place, if a label is not one of the description's."""
    unknown = overlay.filter(~pl.col("label").is_in(labels))
    if unknown.height:
        more = f", and {unknown.height - 1:,} more like it" if unknown.height > 1 else ""
        reason = unknown_label_reason(unknown["label"][0], labels)
        raise DataContractError(f"refused {unknown['place'][0]}{more}: {reason}")


def resolve(overlay: pl.DataFrame) -> pl.DataFrame:
    """Return the line that counts for each text: of the sources with the highest rank, the first.

    It is a new article if any line of the text is one. Volunteers who contradict each other do not count. Raises
    DataContractError, with both places, if other sources of this rank give a text two labels.
    """
    overlay = overlay.filter(~_is_disputed())
    rank = pl.col("source").replace_strict(RANKS, return_dtype=pl.Int8)
    is_new = (pl.col("kind") == "article").any().over("key")
    kind = pl.when(is_new).then(pl.lit("article")).otherwise("kind")
    best = overlay.with_columns(kind=kind).filter(rank == rank.max().over("key"))
    unclear = best.filter(pl.col("label").n_unique().over("key") > 1)
    if unclear.height:
        texts = unclear.group_by("key", maintain_order=True).agg(pl.all())
        lines = [_describe(row) for row in texts.head(MAX_CONTRADICTIONS).iter_rows(named=True)]
        more = [f"  and {texts.height - len(lines):,} more"] if texts.height > len(lines) else []
        raise DataContractError(
            "corrections contradict each other; the same text has two labels from sources of equal rank:\n"
            + "\n".join([*lines, *more])
            + "\nRemove the line that is wrong (after an edit of the overlay, `dvc add` its folder)."
        )
    return best.unique("key", keep="first", maintain_order=True)


def _is_disputed() -> pl.Expr:
    """Whether volunteers give the text of a line several labels, and no better source gives it one."""
    is_volunteered = pl.col("source") == "volunteered"
    rank = pl.col("source").replace_strict(RANKS, return_dtype=pl.Int8)
    labels = pl.col("label").n_unique().over("key", "source")
    return is_volunteered & (labels > 1) & (rank == rank.max().over("key"))


def _describe(row: dict[str, list[str]]) -> str:
    first = dict(zip(reversed(row["label"]), reversed(row["place"]), strict=True))
    sides = "; ".join(f"{quote(label)} in {place}" for label, place in sorted(first.items()))
    return f"  {quote(row['text'][0])}: {sides}"


def apply(articles: pl.DataFrame, overlay: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the corrected articles, and the overlay with `outcome` and `was`, the label before."""
    corrections = Corrections(overlay)
    corrected = corrections.apply(articles)
    new, outcomes = corrections.finish()
    return drop_unneeded(pl.concat([corrected, new], how="diagonal")), outcomes


def drop_unneeded(articles: pl.DataFrame) -> pl.DataFrame:
    """Return articles without `train_label` if there is nothing that `preprocess` has to know of."""
    is_needed = "train_label" in articles and (articles["train_label"].count() or OVERLAY in articles["file"])
    return articles if is_needed else articles.drop("train_label", strict=False)


class Corrections:
    """The lines of an overlay, applied to the articles of a corpus part by part.

    What was asked for, and audits, apply to every row of the text. What is volunteered never changes a published valid
    or test row; for others it stands in column `train_label`, since only `preprocess` knows which of them are train
    rows. New articles follow as rows of train in the file OVERLAY.
    """

    def __init__(self, overlay: pl.DataFrame) -> None:
        self._overlay = overlay
        self._winners = resolve(overlay).with_row_index("number")
        self._numbers = dict(self._winners.select("key", "number").iter_rows())
        self._reached: pl.DataFrame | None = None  # the first row that each line holds for, by its outcome

    def apply(self, articles: pl.DataFrame) -> pl.DataFrame:
        """Return a part of the articles with its corrections and `train_label`."""

        def match(texts: pl.Series) -> pl.Series:
            return normalize(texts).replace_strict(self._numbers, default=None, return_dtype=pl.UInt32)

        rows = articles.with_columns(number=pl.concat(dedup.map_parts(articles["text"], match)))
        to = self._winners.select("number", "source", to="label")
        rows = rows.join(to, on="number", how="left", maintain_order="left").with_columns(outcome=_outcome())
        reached = rows.drop_nulls("number").select("number", "outcome", was="label")
        reached = reached if self._reached is None else pl.concat([self._reached, reached])
        self._reached = reached.sort("outcome", maintain_order=True).unique("number", keep="first", maintain_order=True)
        label = pl.when(outcome="relabeled").then("to").otherwise("label")
        rows = rows.with_columns(label=label, train_label=pl.when(outcome="train_only").then("to"))
        return rows.select(*articles.columns, "train_label")

    def finish(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the new articles, and the overlay with `outcome` and `was`, the label before."""
        empty = self._winners.select("number", outcome=pl.lit(None, pl.Enum(OUTCOMES)), was="label").clear()
        reached = empty if self._reached is None else self._reached
        outcomes = self._winners.join(reached, on="number", how="left")
        missing = pl.when(kind="article").then(pl.lit("added")).otherwise(pl.lit("absent"))
        outcomes = outcomes.select("line", "was", outcome=pl.coalesce(pl.col("outcome").cast(pl.String), missing))
        outcomes = self._overlay.join(outcomes, on="line", how="left", maintain_order="left")
        lost = pl.when(_is_disputed()).then(pl.lit("disputed")).otherwise(pl.lit("superseded"))
        outcomes = outcomes.with_columns(pl.col("outcome").fill_null(lost))
        new = outcomes.filter(outcome="added").select(
            "text", "label", split=pl.lit("train"), file=pl.lit(OVERLAY), line=pl.col("line")
        )
        return new, outcomes


def _outcome() -> pl.Expr:
    """Return what a correction (`source`, `to`) does to a row; null for a row that has none."""
    source = pl.col("source")
    return (
        pl.when(source.is_null()).then(None)
        .when(source == "added").then(pl.lit("known"))
        .when(pl.col("to") == pl.col("label")).then(pl.lit("unchanged"))
        .when(source != "volunteered").then(pl.lit("relabeled"))
        .when(pl.col("split") != "train").then(pl.lit("withheld"))
        .otherwise(pl.lit("train_only"))
        .cast(pl.Enum(OUTCOMES))
    )  # fmt: skip


def summarize(outcomes: pl.DataFrame, content: bytes) -> dict[str, Any]:
    """Return the overlay's name, DVC's hash of it, and how many lines of each source had which outcome."""
    counts = outcomes.group_by("source", "outcome").len().sort("source", "outcome").rows()
    sources: dict[str, dict[str, int]] = {}
    for source, outcome, rows in counts:
        sources.setdefault(source, {})[outcome] = rows
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return {"file": OVERLAY, "md5": digest, "lines": outcomes.height, "sources": sources}


def describe(corrections: dict[str, Any]) -> list[str]:
    """Return a line for each source: how many lines of the overlay it has, and what became of them."""
    lines = []
    for source, counts in corrections.get("sources", {}).items():
        parts = ", ".join(f"{rows:,} {outcome.replace('_', ' ')}" for outcome, rows in counts.items())
        lines.append(f"{source}: {sum(counts.values()):,} ({parts})")
    return lines
