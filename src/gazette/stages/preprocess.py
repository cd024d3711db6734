"""Turns valid articles into clean train, valid and test splits and a quarantine of conflicting labels."""

from pathlib import Path

import numpy as np
import polars as pl
from pydantic import BaseModel, Field

from gazette.core import articles, corpus, files, normalization
from gazette.core.errors import BrokenContract
from gazette.data import dedup, splits


class Params(BaseModel, frozen=True, extra="forbid"):
    """Shares of the splits that a corpus does not publish."""

    valid_share: float = Field(gt=0, lt=0.5)
    test_share: float = Field(gt=0, lt=0.5)


def run(
    params: Params,
    *,
    description: Path,
    valid_articles: Path,
    train: Path,
    valid: Path,
    test: Path,
    quarantine: Path,
    report: Path,
) -> None:
    """Every row of `valid_articles` is in one split, in quarantine, or counted as dropped in the report."""
    described = corpus.describe(description)
    published = sorted(described.files)
    texts, read = _keyed(articles.read(valid_articles))
    kept, conflicts = splits.part_conflicts(read, published)
    counts = {"conflicts": conflicts.height}
    for name, drop in {"duplicates": splits.drop_duplicates, "overlap": splits.drop_overlap}.items():
        before = kept.height
        kept = drop(kept, published)
        counts[name] = before - kept.height
    clean = splits.assign(kept, published, params.valid_share, params.test_share)
    _refuse_empty(clean, described.labels)
    rows = {}
    for split, path in {"train": train, "valid": valid, "test": test}.items():
        part = clean.filter(pl.col("split") == split)
        articles.write(_whole(part, texts), path)
        rows[split] = part.height
    articles.write_table(
        _whole(conflicts, texts).with_columns(reason=pl.lit("the same text under two labels")), quarantine
    )
    files.write({"read": read.height, **rows, "left_out": counts}, report)
    print(", ".join(f"{count:,} {name}" for name, count in (rows | counts).items()))


def _keyed(table: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """The texts, and all else by numbers: the row of each, the first row with its text (`key`), the text's place."""

    def look(texts: pl.Series) -> tuple[dedup.Numbers, pl.Series]:
        keys = normalization.normalised(texts)
        return dedup.digests(keys), splits.places(keys)

    digests, places = zip(*dedup.in_parts(table["text"], look), strict=True)
    key = pl.Series(dedup.first_rows(np.concatenate(digests)))
    names = (pl.col(name).cast(pl.Enum(table[name].unique().sort())) for name in ("label", "split", "file"))
    rows = table.with_row_index("row").select("row", *names, "line", key=key, place=pl.concat(places))
    return table["text"].rechunk(), rows  # in one piece, rows are taken out of it without a copy of their texts


def _whole(rows: pl.DataFrame, texts: pl.Series) -> pl.DataFrame:
    return rows.select(texts.gather(rows["row"]), pl.col("label", "split", "file").cast(pl.String), "line")


def _refuse_empty(clean: pl.DataFrame, labels: list[str]) -> None:
    there = set(clean.select("split", "label").unique().iter_rows())
    if missing := [
        f"{label} in {split}" for split in ("train", "valid", "test") for label in labels if (split, label) not in there
    ]:
        raise BrokenContract(
            f"no article of {', '.join(missing)}: a class needs articles to be learned from and to be judged on. "
            "Add articles, or raise valid_share and test_share in section preprocess of params.yaml."
        )
