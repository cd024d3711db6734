"""Rows of a corpus, part by part: articles or rejects, and which articles are damaged or have personal data."""

from collections import Counter
from typing import NamedTuple

import polars as pl

from gazette.core import articles, normalization
from gazette.core.corpus import Corpus
from gazette.data import dedup
from gazette.data.parts import Parts
from gazette.data.validation import damage, examples, personal_data
from gazette.data.validation.part_records import PartRecord, PartRecords


class _Slice(NamedTuple):
    rows: pl.DataFrame
    quarantined: pl.DataFrame
    kinds: dict[str, int]
    matched: int
    masked: pl.DataFrame


class RowInspector:
    """Takes rows in parts, writes the articles among them to `parts`, and keeps the others and what is counted.

    A row of `parts` is an article, the digest of its key (`low`, `high`), its length, and a flag for each damage.
    `records` has those of parts that an interrupted run inspected.
    """

    def __init__(self, described: Corpus, policy: str, parts: Parts, records: PartRecords) -> None:
        self._described = described
        self._policy = policy
        self._parts = parts
        self._records = records
        self._rejects: dict[str, list[pl.DataFrame]] = {"unreadable": [], "invalid": [], "quarantined": []}
        self._labels: list[pl.DataFrame] = []
        self._masked: list[pl.DataFrame] = []
        self._kinds: Counter[str] = Counter()
        self._rows = self._matched = 0

    def take(self, table: pl.DataFrame, unreadable: pl.DataFrame) -> None:
        """Take a part of the articles as they were read, and of the rows that could not be."""
        self._labels = [pl.concat([*self._labels, table.select("label")]).unique(maintain_order=True)]
        record = self._records.load(table)
        if record is None:
            record = self._inspect(table)
            self._records.save(record)
        else:
            self._parts.adopt(record.articles)
        self._rejects["unreadable"].append(unreadable)
        self._rejects["invalid"].append(record.invalid)
        self._rejects["quarantined"].append(record.quarantined)
        self._rows += record.rows
        self._kinds.update(record.kinds)
        self._matched += record.matched
        self._masked = [examples.join_examples([*self._masked, record.masked])]

    def _inspect(self, table: pl.DataFrame) -> PartRecord:
        """Inspect rows, and append the articles among them to `parts`."""
        valid, invalid = articles.split_invalid(table, self._described.labels)
        slices = list(valid.iter_slices(dedup.PART_ROWS)) or [valid]
        parts = list(dedup.map_threads(self._inspect_slice, slices))
        rows = pl.concat(part.rows for part in parts)
        self._parts.append(rows)
        return PartRecord(
            invalid,
            pl.concat(part.quarantined for part in parts),
            examples.join_examples([part.masked for part in parts]),
            dict(sum((Counter(part.kinds) for part in parts), Counter())),
            sum(part.matched for part in parts),
            valid.height,
            rows.height,
        )

    @property
    def rejects(self) -> pl.DataFrame:
        """All rows that are no articles: split, file, line, reason, seen."""
        tables = [table for kind in self._rejects.values() for table in kind]
        return pl.concat(tables).sort("split", "file", "line", maintain_order=True)

    @property
    def labels(self) -> pl.DataFrame:
        """The labels as read."""
        return self._labels[0]

    @property
    def kinds(self) -> dict[str, int]:
        """The number of matches of each kind of personal data."""
        return dict(sorted(self._kinds.items()))

    @property
    def personal_share(self) -> float:
        """The share of the articles with personal data, if these are kept."""
        return self._matched / max(self._rows, 1) if self._policy == "keep" else 0.0

    @property
    def masked(self) -> pl.DataFrame:
        """The first matches of each kind of personal data, masked."""
        return self._masked[0]

    def _inspect_slice(self, table: pl.DataFrame) -> _Slice:
        matches = personal_data.find_personal_data(table["text"], self._described.language)
        masked = examples.personal_data_examples(table, matches, personal_data.star_out(table["text"], matches))
        kinds = dict(matches["kind"].value_counts().iter_rows())
        rows, quarantined = _apply_policy(self._policy, table, matches)
        keyed = normalization.add_key(rows)
        low, high = dedup.hash_keys(keyed["key"]).T
        marked = rows.with_columns(
            damage.flag_damage(keyed), low=low, high=high, characters=pl.col("text").str.len_chars()
        )
        return _Slice(marked, quarantined, kinds, matches["row"].n_unique(), masked)


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
