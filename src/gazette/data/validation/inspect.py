"""Inspection of a corpus: read, validate its rows, profile it, and check its contract."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gazette.core import articles, normalization
from gazette.core.arrays import Array
from gazette.core.corpus import OVERLAY, Corpus
from gazette.data import dedup, overlay
from gazette.data.languages import skipped_checks
from gazette.data.validation import (
    checkpoint,
    damage,
    drift,
    examples,
    language,
    leakage,
    near_duplicates,
    personal_data,
    profile,
)
from gazette.data.validation.bounds import Params
from gazette.data.validation.checks import column_of


@dataclass(frozen=True)
class Inspection:
    """The result of reading a corpus once."""

    articles: pl.DataFrame  # those that satisfy the row contract
    rejects: pl.DataFrame  # split, file, line, reason, seen
    files: list[dict[str, Any]]  # counts per raw file
    whole: pl.DataFrame  # one row, the corpus profile
    classes: pl.DataFrame
    drift: pl.DataFrame
    personal: dict[str, int]  # matches of each kind
    examples: pl.DataFrame
    findings: list[dict[str, Any]]
    skipped: dict[str, str]  # checks that need to know the language and do not, each with the reason
    corrections: dict[str, Any]  # what an overlay corrected; empty without one

    @property
    def dates(self) -> list[str]:
        """In words, from when to when the articles are and how many have no date; empty if the files have no dates."""
        if "date" not in self.articles.columns:
            return []
        first, last, missing = self.articles.select(
            first=pl.col("date").min(), last=pl.col("date").max(), missing=pl.col("date").null_count()
        ).row(0)
        span = f"dates from {first:%Y-%m-%d} to {last:%Y-%m-%d}" if first else "no dates"
        return [f"{span}; {missing:,} articles have none"]

    @property
    def report(self) -> dict[str, Any]:
        """What is recorded of the inspection: numbers and names, no text."""
        return {
            "corpus": self.whole.row(0, named=True),
            "classes": self.classes.to_dicts(),
            "drift": self.drift.to_dicts(),
            "personal_data": self.personal,
            "files": self.files,
            "quarantine": articles.count_reasons(self.rejects).select("reason", "rows").to_dicts(),
            "expectations": self.findings,
            **({"skipped": self.skipped} if self.skipped else {}),
            **({"corrections": self.corrections} if self.corrections else {}),
        }


def inspect_corpus(described: Corpus, raw: Path, params: Params, docs: Path) -> Inspection:
    """Read and inspect a corpus; writes Data Docs to `docs`. Raises DataContractError if a file is broken."""
    table, unreadable, files, corrections = overlay.read_corrected(described, raw)
    labels = table.select(pl.col("label").unique().sort())
    table, invalid = articles.split_invalid(table, described.labels)
    table = table.rechunk()  # in one piece, rows are gathered without a copy of their texts
    matches = personal_data.find_personal_data(table["text"], described.language)
    masked = examples.personal_data_examples(table, matches, personal_data.star_out(table["text"], matches))
    kinds = dict(matches["kind"].value_counts().sort("kind").iter_rows())
    share = matches["row"].n_unique() / max(table.height, 1) if params.personal_data == "keep" else 0.0
    table, quarantined = _apply_policy(params.personal_data, table, matches)
    rejects = pl.concat([unreadable, invalid, quarantined]).sort("split", "file", "line", maintain_order=True)
    keyed, flags = _flag_rows(table, params.near_duplicate_similarity, described.language)
    leaks = leakage.find_leaks(keyed, params.leakage_min_share, params.leakage_purity)
    distances = drift.measure_drift(keyed)
    whole = profile.corpus_profile(keyed, rejects.height, flags).with_columns(
        giveaways=pl.lit(leaks.height), personal_data=pl.lit(round(share, 6))
    )
    if "date" in table.columns:
        is_missing = pl.col("date").is_null() & (pl.col("file") != OVERLAY)  # people correct texts, not dates
        whole = whole.with_columns(missing_dates=pl.lit(profile.share(table, is_missing)))
    classes = profile.class_profile(keyed, sorted(described.files), described.labels)
    excerpts = [
        examples.flag_examples(keyed, flags, damage.damage_patterns()),
        examples.near_duplicate_examples(keyed),
        examples.leakage_examples(leaks),
    ]
    skipped = skipped_checks(described.language)
    checked = checkpoint.run_checkpoint(whole, classes, labels, distances, params, described.labels, docs)
    findings = [finding for finding in checked if column_of(finding) not in skipped]
    if not personal_data.knows_numbers(described.language):
        skipped["phone numbers without a country code"] = "their shapes are known for English and Chinese alone"
    failed = {(finding["table"], column_of(finding)): None for finding in findings if not finding["success"]}
    excerpts += [masked, examples.breach_examples(keyed, classes, params, failed)]
    return Inspection(
        table, rejects, files, whole, classes, distances, kinds, pl.concat(excerpts), findings, skipped, corrections,
    )  # fmt: skip


def _flag_rows(table: pl.DataFrame, similarity: float, code: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the articles with the first row that is equal (`copy`) or a near duplicate (`group`), and their flags."""

    def inspect_part(texts: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame, Array]:
        keyed = normalization.add_key(texts.to_frame("text"))
        return language.mark_languages(keyed, code), damage.flag_damage(keyed), dedup.hash_keys(keyed["key"])

    marks, damaged, digests = zip(*dedup.map_parts(table["text"], inspect_part), strict=True)
    numbers = {
        "copy": dedup.first_occurrences(np.concatenate(digests)),
        "group": near_duplicates.group_near_duplicates(table["text"], similarity, code),
    }
    flags = language.flag_other_languages(pl.concat(marks), table["text"], code)
    return table.with_columns(**numbers), flags.hstack(pl.concat(damaged))


def _apply_policy(policy: str, table: pl.DataFrame, matches: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    if policy == "mask":
        table = table.with_columns(text=personal_data.mask(table["text"], matches))
    kinds = matches.group_by("row").agg(
        reason=pl.format("personal data: {}", pl.col("kind").unique().sort().str.join(", "))
    )
    kinds = kinds.sort("row") if policy == "quarantine" else kinds.clear()
    rejects = table[kinds["row"]].with_columns(kinds["reason"])
    rejects = rejects.select("split", "file", "line", "reason", seen=pl.format("{}: …", "label"))
    return table.filter(~pl.int_range(pl.len()).is_in(kinds["row"].implode())) if kinds.height else table, rejects
