"""Inspection of a corpus: read, validate its rows, profile it, and check its contract."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from gazette.core import articles, normalization
from gazette.core.corpus import OVERLAY, Corpus
from gazette.core.escape import tally
from gazette.data import corrected, dedup
from gazette.data.erased import split_erased
from gazette.data.languages import skipped_checks
from gazette.data.parts import Parts
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
    sampling,
)
from gazette.data.validation.bounds import Params
from gazette.data.validation.checks import column_of
from gazette.data.validation.part_records import PartRecords
from gazette.data.validation.rows import RowInspector


@dataclass(frozen=True)
class Inspection:
    """The result of reading a corpus once."""

    parts: Parts  # the articles that satisfy the row contract, and what is known of each
    rejects: pl.DataFrame  # split, file, line, reason, seen
    files: list[dict[str, Any]]  # counts per raw file
    whole: pl.DataFrame  # one row, the corpus profile
    classes: pl.DataFrame
    drift: pl.DataFrame
    personal: dict[str, int]  # matches of each kind
    examples: pl.DataFrame
    findings: list[dict[str, Any]]
    sampled: dict[str, dict[str, int]]  # splits of which checks that estimate saw a part, with the rows of both
    skipped: dict[str, str]  # checks that need to know the language and do not, each with the reason
    corrections: dict[str, Any]  # what an overlay corrected; empty without one

    def articles(self) -> pl.LazyFrame:
        """Return the articles as they were read, `train_label` only if `preprocess` has to know of something."""
        return self._select(self.parts.scan())

    def sorted_articles(self, folder: Path) -> pl.LazyFrame:
        """Return the articles by split, file and line; `folder` takes a copy if they are not so already."""
        return self._select(self.parts.scan_sorted(folder))

    def _select(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        columns = [name for name in rows.collect_schema() if name in articles.COLUMNS]
        if "train_label" in columns:
            is_needed = pl.col("train_label").is_not_null() | (pl.col("file") == OVERLAY)
            if not self.parts.scan().select(is_needed.any()).collect(engine="streaming").item():
                columns.remove("train_label")
        return rows.select(columns)

    @property
    def dates(self) -> list[str]:
        """In words, from when to when the articles are and how many have no date; empty if the files have no dates."""
        rows = self.parts.scan()
        if "date" not in rows.collect_schema():
            return []
        first, last, missing = (
            rows.select(first=pl.col("date").min(), last=pl.col("date").max(), missing=pl.col("date").null_count())
            .collect(engine="streaming")
            .row(0)
        )
        span = f"dates from {first:%Y-%m-%d} to {last:%Y-%m-%d}" if first else "no dates"
        return [f"{span}; {tally(missing, 'article')} without one"]

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
            **({"sampled": self.sampled} if self.sampled else {}),
            **({"skipped": self.skipped} if self.skipped else {}),
            **({"corrections": self.corrections} if self.corrections else {}),
        }


def inspect_corpus(
    described: Corpus, raw: Path, params: Params, docs: Path, folder: Path, erased: frozenset[str] = frozenset()
) -> Inspection:
    """Read and inspect a corpus; writes Data Docs to `docs`, and the articles, in parts, to `folder`.

    Articles whose hash is in `erased` are rejects.

    Raises DataContractError if a file is broken.
    """
    parts, similarity = Parts(folder), params.near_duplicate_similarity
    settings = {"policy": params.personal_data, "language": described.language, "labels": described.labels}
    inspector = RowInspector(described, params.personal_data, parts, PartRecords(folder, settings))

    def take(table: pl.DataFrame, rejects: pl.DataFrame) -> None:
        present, gone = split_erased(table, erased)
        inspector.take(present, pl.concat([rejects, gone]))

    files, corrections = corrected.read_parts(described, raw, take)
    rejects, rows = inspector.rejects, parts.scan()
    lengths = rows.group_by("split", "characters").agg(rows=pl.len().cast(pl.Int64)).collect(engine="streaming")
    sizes = dict(lengths.group_by("split").agg(pl.col("rows").sum()).iter_rows())
    classes = profile.class_profile(rows, sorted(described.files), described.labels)
    sample = sampling.draw_sample(parts, lengths)
    sampled = sampling.describe_sample(sample, sizes)
    near = _find_near(sample, parts if sampled else [], similarity, described.language)
    of_language = _flag_languages(sample, described.language)
    leaks = leakage.find_leaks(sample, params.leakage_min_share, params.leakage_purity)
    distances = drift.measure_drift(lengths, classes, sample)
    flags = profile.flag_shares(of_language, sample["weight"]) | _damage_shares(rows)
    exact = Counter[str]()
    for equal in dedup.iter_equal(rows.select("row", "split", "label", "low", "high"), parts.rows):
        exact.update(profile.count_repetition(equal.with_columns(weight=1.0), "key"))
    whole = profile.corpus_profile(
        lengths, rejects.height, exact, profile.count_repetition(near, "group"), flags
    ).with_columns(giveaways=pl.lit(leaks.height), personal_data=pl.lit(round(inspector.personal_share, 6)))
    if described.is_dated:
        is_missing = pl.col("date").is_null() & (pl.col("file") != OVERLAY)  # people correct texts, not dates
        missing = rows.select(is_missing.mean()).collect(engine="streaming").item()
        whole = whole.with_columns(missing_dates=pl.lit(round(float(missing or 0), 6)))
    patterns = damage.damage_patterns()
    damaged = examples.first_rows(parts, [rows.filter(pl.col(name)) for name in damage.FLAGS])
    excerpts = [
        examples.flag_examples(sample.hstack(of_language), of_language.columns, patterns),
        examples.flag_examples(damaged, damage.FLAGS, patterns),
        examples.near_duplicate_examples(near),
        examples.leakage_examples(leaks),
    ]
    skipped = skipped_checks(described.language)
    checked = checkpoint.run_checkpoint(whole, classes, inspector.labels, distances, params, described.labels, docs)
    findings = [finding for finding in checked if column_of(finding) not in skipped]
    if not personal_data.knows_numbers(described.language):
        skipped["phone numbers without a country code"] = "their shapes are known for English and Chinese alone"
    failed = {(finding["table"], column_of(finding)): None for finding in findings if not finding["success"]}
    median = whole["characters_50"].item() or 0
    excerpts += [inspector.masked, examples.breach_examples(parts, classes, params, failed, median)]
    return Inspection(
        parts, rejects, files, whole, classes, distances, inspector.kinds, pl.concat(excerpts), findings,
        sampled, skipped, corrections,
    )  # fmt: skip


def _find_near(sample: pl.DataFrame, parts: Iterable[pl.DataFrame], similarity: float, code: str) -> pl.DataFrame:
    """Return the sample, and rows of `parts` that may be near it, with the first row that is equal or near.

    These are columns `copy` and `group`. A row beyond the sample has the weight 0.
    """
    known = sample["row"].implode()
    neighbors = near_duplicates.find_neighbors(sample["text"], parts, similarity, code)
    others = [part.filter(~pl.col("row").is_in(known)).with_columns(weight=0.0) for part in neighbors]
    near = pl.concat([sample, *(part.select(sample.columns) for part in others)]).sort("row").rechunk()
    return near.with_columns(
        copy=dedup.first_occurrences(near.select("low", "high").to_numpy()),
        group=near_duplicates.group_near_duplicates(near["text"], similarity, code),
    )


def _flag_languages(sample: pl.DataFrame, code: str) -> pl.DataFrame:
    def mark(texts: pl.Series) -> pl.DataFrame:
        return language.mark_languages(normalization.add_key(texts.to_frame("text")), code)

    marks = pl.concat(dedup.map_parts(sample["text"], mark))
    return language.flag_other_languages(marks, sample["text"], code)


def _damage_shares(rows: pl.LazyFrame) -> dict[str, float]:
    shares = rows.select(pl.col(damage.FLAGS).mean()).collect(engine="streaming").row(0, named=True)
    return {name: round(float(share or 0), 6) for name, share in shares.items()}
