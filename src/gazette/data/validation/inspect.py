"""What a corpus holds and whether it keeps its contract: read, sorted out, profiled, judged."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import Field

from gazette.core import articles, normalization
from gazette.core.corpus import Corpus
from gazette.data import dedup
from gazette.data.readers import read
from gazette.data.validation import checkpoint, damage, drift, examples, expectations, leakage, near_duplicates, profile
from gazette.data.validation import language as scripts
from gazette.data.validation import personal_data as personal


class Params(expectations.Bounds, frozen=True, extra="forbid"):
    """The bounds of the corpus contract, and how rows and texts are looked at."""

    max_quarantined: float = Field(ge=0, le=1)
    near_similarity: float = Field(ge=0.7, le=1)  # below, short texts are missed
    giveaway_rows: float = Field(gt=0, le=1)
    giveaway_purity: float = Field(gt=0, le=1)
    personal_data: Literal["keep", "mask", "quarantine"]


@dataclass(frozen=True)
class Inspection:
    """All that is known of a corpus after its raw files were read once."""

    articles: pl.DataFrame  # those that keep the row contract
    rejects: pl.DataFrame  # split, file, line, reason, seen
    files: list[dict[str, Any]]  # an account of each raw file
    whole: pl.DataFrame  # one row about the corpus
    classes: pl.DataFrame
    drift: pl.DataFrame
    personal: dict[str, int]  # finds of each kind
    examples: pl.DataFrame
    findings: list[dict[str, Any]]


def inspect(described: Corpus, raw: Path, params: Params, docs: Path) -> Inspection:
    """Reads and judges a corpus; Data Docs are written to `docs`. Raises BrokenContract where a file is broken."""
    table, unreadable, files = read.read(described, raw)
    labels = table.select(pl.col("label").unique().sort())
    table, unfit = articles.sort_out(table, described.labels)
    table = table.rechunk()  # in one piece, rows are taken out of it without a copy of their texts
    found = personal.find(table["text"], described.language)
    masked = examples.of_finds(table, found, personal.shown(table["text"], found))
    kinds = dict(found["kind"].value_counts().sort("kind").iter_rows())
    share = found["row"].n_unique() / max(table.height, 1) if params.personal_data == "keep" else 0.0
    table, held = _act(params.personal_data, table, found)
    rejects = pl.concat([unreadable, unfit, held]).sort("split", "file", "line", maintain_order=True)
    keyed, flags = _looked_at(table, params.near_similarity, described.language)
    hints = leakage.find(keyed, params.giveaway_rows, params.giveaway_purity)
    apart = drift.between(keyed)
    whole = profile.corpus_profile(keyed, rejects.height, flags).with_columns(
        giveaways=pl.lit(hints.height), personal_data=pl.lit(round(share, 6))
    )
    classes = profile.class_profile(keyed, sorted(described.files), described.labels)
    shown = [examples.of_flags(keyed, flags, damage.places()), examples.of_neighbours(keyed), examples.of_hints(hints)]
    return Inspection(
        table, rejects, files, whole, classes, apart, kinds, pl.concat([*shown, masked]),
        checkpoint.judge(whole, classes, labels, apart, params, described.labels, docs),
    )  # fmt: skip


def _looked_at(table: pl.DataFrame, similarity: float, language: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The articles with the number of the first that is the same (`copy`) and nearly so (`group`), and their flags."""

    def look(texts: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame, dedup.Numbers]:
        keyed = normalization.with_key(texts.to_frame("text"))
        return scripts.marks(keyed, language), damage.flags(keyed), dedup.digests(keyed["key"])

    marks, damaged, digests = zip(*dedup.in_parts(table["text"], look), strict=True)
    numbers = {
        "copy": pl.Series(dedup.first_rows(np.concatenate(digests))),
        "group": near_duplicates.groups(table["text"], similarity, language, normalization.normalised),
    }
    return table.with_columns(**numbers), scripts.flags(pl.concat(marks)).hstack(pl.concat(damaged))


def _act(policy: str, table: pl.DataFrame, found: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The articles as the policy wants them, and those that it keeps out."""
    if policy == "mask":
        table = table.with_columns(text=personal.masked(table["text"], found))
    kinds = found.group_by("row").agg(
        reason=pl.format("personal data: {}", pl.col("kind").unique().sort().str.join(", "))
    )
    kinds = kinds.sort("row") if policy == "quarantine" else kinds.clear()
    held = table[kinds["row"]].with_columns(kinds["reason"])
    reject = held.select("split", "file", "line", "reason", seen=pl.format("{}: …", "label"))
    return table.filter(~pl.int_range(pl.len()).is_in(kinds["row"].implode())) if kinds.height else table, reject
