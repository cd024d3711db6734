"""Split validated articles into clean train, valid and test splits and a quarantine of conflicting labels."""

from collections.abc import Sequence
from datetime import date as Day
from pathlib import Path
from typing import Any, Literal

import polars as pl
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError
from pydantic import BaseModel, Field, field_validator, model_validator

from gazette.core import articles, files, normalization, tables
from gazette.core.corpus import read_description
from gazette.data import coverage, dedup, splits
from gazette.data.places import CLEAN, CONFLICT, Places
from gazette.data.splits import SPLITS
from gazette.data.validation import near_duplicates

COLUMNS = ("text", "label", "split", "file", "line", "date")  # of what is written; the date only if there are dates
LOST = ("conflicts", "duplicates", "overlap")


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
    table = tables.scan_parquet(validated)
    by_time, times, days = params.split == "time", dict[str, Any](), None
    with atomic.temporary_folder(train) as folder:
        rows, is_sorted = _write_keys(table, validated, folder)
        keys = tables.scan_parquet(sorted(folder.glob("*.parquet"))).with_columns(was="label")
        if by_time:
            days, times = _find_days(keys, published, params)
        places = _place(keys, rows, published, params, days)
    missing = coverage.list_missing(places.classes, corpus.labels)
    coverage.check_classes(missing, places.classes, table, has_ended=by_time)
    order = [*(["date"] if by_time else []), "file", "line"]
    if by_time:
        times |= {f"classes_without_{split}": labels for split, labels in missing.items()}
        clean = pl.concat(places.pick(table, place) for place in CLEAN).sort(order, maintain_order=True).collect()
        times |= _describe_time(clean, params.near_duplicate_similarity, corpus.language)
    columns = [name for name in COLUMNS if name in table.collect_schema()]
    for place, path in zip(CLEAN, (train, valid, test), strict=True):
        part = places.pick(table, place)
        part = part if is_sorted and not by_time else part.sort(order, maintain_order=True)
        articles.write_articles(path, part.select(columns))
    reason = pl.lit("the same text under two labels")
    tables.sink_parquet(quarantine, places.pick(table, CONFLICT).select(*columns, reason=reason))
    sizes = {split: places.rows_of(split) for split in SPLITS}
    counts = {name: places.counts[name] for name in LOST}
    corrections = {name: count for name, count in places.counts.items() if name not in ("read", *LOST)}
    about = ({"corrections": corrections} if corrections else {}) | ({"time": times} if by_time else {})
    files.write_json(report, {"read": places.counts["read"], **sizes, "left_out": counts, **about})
    print(", ".join(f"{count:,} {name}" for name, count in (sizes | counts | corrections).items()))
    for name, value in times.items():
        print(f"  {name.replace('_', ' ')}: {value}")


def _write_keys(table: pl.LazyFrame, validated: Path, folder: Path) -> tuple[int, bool]:
    """Write the rows with a digest and a place instead of their text; return their number, and if they are sorted."""
    names = [name for name in table.collect_schema() if name != "text"]
    of_label = [name for name in names if name.endswith("label")]
    labels = pl.concat([table.select(pl.col(name).unique()).collect()[name] for name in of_label])
    kind = pl.Enum(labels.drop_nulls().unique().sort())

    def add_key(part: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
        keys = normalization.normalize(part["text"])
        low, high = dedup.hash_keys(keys).T
        rows = part.select(names).with_columns(pl.col(of_label).cast(kind), low=low, high=high)
        where = part.select("split", "file", "line")
        return rows.with_columns(place=splits.hash_positions(keys)), where.equals(where.sort(pl.all()))

    count, ends, is_sorted = 0, [], True
    for number, (rows, is_part_sorted) in enumerate(dedup.map_threads(add_key, articles.iter_articles(validated))):
        rows.with_row_index("row", offset=count).write_parquet(folder / f"{number:06}.parquet")
        ends += [row for end in (rows.head(1), rows.tail(1)) for row in end.select("split", "file", "line").rows()]
        count, is_sorted = count + rows.height, is_sorted and is_part_sorted
    return count, is_sorted and ends == sorted(ends)


def _place(
    keys: pl.LazyFrame, rows: int, published: Sequence[str], params: Params, days: tuple[Day, Day] | None
) -> Places:
    """Return the place of each row, cut by the days if there are any."""
    places = Places(rows)
    for part in dedup.iter_equal(keys, rows):
        if days is not None:
            part = part.with_columns(place=splits.time_positions(part["date"], *days, params.test_share))
        places.add(splits.cut(part, published, (params.valid_share, params.test_share), days is not None))
    return places


def _find_days(keys: pl.LazyFrame, published: Sequence[str], params: Params) -> tuple[tuple[Day, Day], dict[str, Any]]:
    """Return the first days of valid and test, and, for the report, those of the splits that are cut."""
    if "date" not in keys.collect_schema():
        raise ConfigError(
            "params.yaml, section preprocess: split: time needs dates, and no file of the corpus's description has "
            "`date`; `gazette corpus add --date COLUMN` describes one"
        )
    shares = {name: 0.0 if name in published else getattr(params, f"{name}_share") for name in ("valid", "test")}
    dates = keys.filter(split="train").select("date").collect()["date"]
    named = [Day.fromisoformat(day) if day else None for day in (params.valid_from, params.test_from)]
    days = splits.find_boundaries(dates, shares["valid"], shares["test"], *named)
    first = {f"{name}_from": str(day) for name, day in zip(("valid", "test"), days, strict=True)}
    return days, {key: day for key, day in first.items() if key.removesuffix("_from") not in published}


def _describe_time(clean: pl.DataFrame, similarity: float, language: str) -> dict[str, int]:
    """Count train rows without a date, and rows of valid and test that are near duplicates of an earlier split's."""
    order = {split: number for number, split in enumerate(SPLITS)}
    group = near_duplicates.group_near_duplicates(clean["text"], similarity, language)
    split = pl.col("split").replace_strict(order, return_dtype=pl.Int8)
    is_late = split > split.min().over("group")
    first_test = pl.col("date").filter(pl.col("split") == "test").min()
    return {
        "train_not_before_test": clean.select(
            ((pl.col("split") == "train") & (pl.col("date") >= first_test)).sum()
        ).item(),
        "train_without_date": clean.filter(pl.col("split") == "train")["date"].null_count(),
        "near_duplicates_of_earlier_splits": clean.with_columns(group=group).select(is_late.sum()).item(),
    }
