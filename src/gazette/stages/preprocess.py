"""Split validated articles into clean train, valid and test splits and a quarantine of conflicting labels."""

from collections.abc import Sequence
from datetime import date as Day
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, Field, field_validator, model_validator

from gazette.core import articles, files, normalization, tables
from gazette.core.arrays import Array
from gazette.core.corpus import read_description
from gazette.core.errors import ConfigError, DataContractError
from gazette.core.escape import MAX_NAMED, format_places, quote
from gazette.data import dedup, splits
from gazette.data.splits import SPLITS
from gazette.data.validation import near_duplicates

LABELS = ("label", "train_label")
COLUMNS = ("line", "date")  # besides text, label, split and file; the date only if there are dates


class Params(BaseModel, frozen=True, extra="forbid"):
    """How the splits are cut that the corpus does not provide, and their shares, or their first days."""

    split: Literal["hash", "time"] = "hash"
    valid_share: float = Field(gt=0, lt=0.5)
    test_share: float = Field(gt=0, lt=0.5)
    valid_from: str | None = None
    test_from: str | None = None
    near_duplicate_similarity: float = Field(0.8, ge=0.7, le=1)

    @field_validator("valid_from", "test_from")
    @classmethod
    def _is_a_day(cls, day: str | None) -> str | None:
        return day and str(Day.fromisoformat(day))

    @model_validator(mode="after")
    def _are_boundaries_in_order(self) -> "Params":
        if (self.valid_from is None) != (self.test_from is None):
            raise ValueError("valid_from and test_from go together: name both, or neither")
        if self.valid_from and self.test_from and self.valid_from >= self.test_from:
            raise ValueError(f"valid_from {self.valid_from} is not before test_from {self.test_from}")
        return self


def run(
    params: Params,
    *,
    description: Path,
    validated: Path,
    train: Path,
    valid: Path,
    test: Path,
    quarantine: Path,
    report: Path,
) -> None:
    """Put every row of `validated` in one split or in quarantine, or count it as dropped in the report."""
    corpus = read_description(description)
    published = sorted(corpus.files)
    texts, rows = _add_keys(articles.read_articles(validated))
    shares = params.valid_share, params.test_share
    by_time, times = params.split == "time", dict[str, Any]()
    if by_time:
        rows, times = _place_in_time(rows, published, params)
    is_corrected = "train_label" in rows.columns
    rows, corrections = splits.apply_volunteered(rows, published, *shares) if is_corrected else (rows, {})
    unique, conflicts = splits.split_conflicts(rows, published)
    counts = {"conflicts": conflicts.height}
    distinct = splits.drop_duplicates(unique, published, by_time)
    apart = splits.drop_overlap(distinct, published)
    counts |= {"duplicates": unique.height - distinct.height, "overlap": distinct.height - apart.height}
    clean = splits.assign_splits(apart, published, *shares)
    missing = _list_missing(clean, corpus.labels)
    _check_classes(missing, clean, rows, has_ended=by_time)
    if by_time:
        times |= {f"classes_without_{split}": labels for split, labels in missing.items()}
        times |= _describe_time(clean, texts, params.near_duplicate_similarity, corpus.language)
    sizes = {}
    for split, path in {"train": train, "valid": valid, "test": test}.items():
        part = clean.filter(pl.col("split") == split)
        articles.write_articles(path, _add_texts(part, texts))
        sizes[split] = part.height
    reason = pl.lit("the same text under two labels")
    tables.write_parquet(quarantine, _add_texts(conflicts, texts).with_columns(reason=reason))
    about = ({"corrections": corrections} if is_corrected else {}) | ({"time": times} if by_time else {})
    files.write_json(report, {"read": rows.height, **sizes, "left_out": counts, **about})
    print(", ".join(f"{count:,} {name}" for name, count in (sizes | counts | corrections).items()))
    for name, value in times.items():
        print(f"  {name.replace('_', ' ')}: {value}")


def _place_in_time(rows: pl.DataFrame, published: Sequence[str], params: Params) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return the rows with places that cut them by time, and the first days of the splits that are cut."""
    if "date" not in rows.columns:
        raise ConfigError(
            "params.yaml, section preprocess: split: time needs dates, and no file of the corpus's description has "
            "`date`; `gazette corpus add --date COLUMN` describes one"
        )
    shares = {name: 0.0 if name in published else getattr(params, f"{name}_share") for name in ("valid", "test")}
    dates = rows.filter(pl.col("split") == "train")["date"]
    named = [Day.fromisoformat(day) if day else None for day in (params.valid_from, params.test_from)]
    days = splits.find_boundaries(dates, shares["valid"], shares["test"], *named)
    places = splits.time_positions(rows["date"], *days, shares["test"])
    first = {f"{name}_from": str(day) for name, day in zip(("valid", "test"), days, strict=True)}
    cut = {key: day for key, day in first.items() if key.removesuffix("_from") not in published}
    return rows.with_columns(place=places), cut


def _describe_time(clean: pl.DataFrame, texts: pl.Series, similarity: float, language: str) -> dict[str, int]:
    """Count train rows without a date, and rows of valid and test that are near duplicates of an earlier split's."""
    order = {split: number for number, split in enumerate(SPLITS)}
    group = near_duplicates.group_near_duplicates(texts.gather(clean["row"]), similarity, language)
    split = pl.col("split").cast(pl.String).replace_strict(order, return_dtype=pl.Int8)
    is_late = split > split.min().over("group")
    first_test = pl.col("date").filter(pl.col("split") == "test").min()
    return {
        "train_not_before_test": clean.select(
            ((pl.col("split") == "train") & (pl.col("date") >= first_test)).sum()
        ).item(),
        "train_without_date": clean.filter(pl.col("split") == "train")["date"].null_count(),
        "near_duplicates_of_earlier_splits": clean.with_columns(group=group).select(is_late.sum()).item(),
    }


def _add_keys(table: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """Return the texts, and the rows without them; `key` is the first row with the same text, `place` its hash."""

    def hash_part(texts: pl.Series) -> tuple[Array, pl.Series]:
        keys = normalization.normalize(texts)
        return dedup.hash_keys(keys), splits.hash_positions(keys)

    digests, places = zip(*dedup.map_parts(table["text"], hash_part), strict=True)
    key = dedup.first_occurrences(np.concatenate(digests))
    label = pl.Enum(pl.concat([table[name] for name in LABELS if name in table]).drop_nulls().unique().sort())
    kinds = {name: label for name in LABELS if name in table}
    kinds |= {name: pl.Enum(table[name].unique().sort()) for name in ("split", "file")}
    names = (pl.col(name).cast(kind) for name, kind in kinds.items())
    rows = table.with_row_index("row").select("row", *names, "line", key=key, place=pl.concat(places))
    if "date" in table.columns:
        rows = rows.with_columns(table["date"])
    return table["text"].rechunk(), rows  # contiguous, so that rows are gathered without copying texts


def _add_texts(rows: pl.DataFrame, texts: pl.Series) -> pl.DataFrame:
    last = [name for name in COLUMNS if name in rows.columns]
    return rows.select(texts.gather(rows["row"]), pl.col("label", "split", "file").cast(pl.String), *last)


def _list_missing(clean: pl.DataFrame, labels: list[str]) -> dict[str, list[str]]:
    """Return for each split the classes that have no article in it; splits that have all are left out."""
    present = set(clean.select("split", "label").unique().iter_rows())
    missing = {split: [label for label in labels if (split, label) not in present] for split in SPLITS}
    return {split: labels for split, labels in missing.items() if labels}


def _check_classes(
    missing: dict[str, list[str]], clean: pl.DataFrame, validated: pl.DataFrame, *, has_ended: bool
) -> None:
    """Raise DataContractError if a class has no article in a split, and say where its articles are.

    With `has_ended`, a class may be missing in valid and test: its last article may be older than they are.
    """
    pairs = [(split, label) for split, labels in missing.items() for label in labels]
    if has_ended:
        pairs = [(split, label) for split, label in pairs if split == "train"]
    if pairs:
        lines = [_describe_missing(split, label, clean, validated) for split, label in pairs[:MAX_NAMED]]
        more = [f"  and {len(pairs) - MAX_NAMED:,} more"] if len(pairs) > MAX_NAMED else []
        cure = (
            "Move valid_from or valid_share in section preprocess of params.yaml, or leave out a class that is new."
            if has_ended
            else "Add articles, or raise valid_share and test_share in section preprocess of params.yaml."
        )
        raise DataContractError(
            "a class has no article in a split; every class needs articles to train on and to evaluate on:\n"
            + "\n".join([*lines, *more, cure])
        )


def _describe_missing(split: str, label: str, clean: pl.DataFrame, validated: pl.DataFrame) -> str:
    rows, left = (table.filter(pl.col("label").cast(pl.String) == label) for table in (validated, clean))
    counts = {name: left.filter(pl.col("split") == name).height for name in SPLITS}
    lost = rows.height - left.height
    parts = [f"{count:,} in {name}" for name, count in counts.items() if count]
    parts += [f"{lost:,} left out as duplicates, conflicts or overlap"] if lost else []
    places = f". The first: {format_places(rows.sort('file', 'line').head(3).to_dicts())}" if rows.height else ""
    return (
        f"  class {quote(label)} in {split}: 0 of its {rows.height:,} articles ({', '.join(parts) or 'none'}){places}"
    )
