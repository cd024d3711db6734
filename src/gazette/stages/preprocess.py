"""Turns valid articles into clean train, valid and test splits and a quarantine of conflicting labels."""

from pathlib import Path

import polars as pl
from pydantic import BaseModel, Field

from gazette import articles, corpus, profile, records, splitting


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
    published = sorted(corpus.describe(description).files)
    table = profile.with_key(articles.read(valid_articles))
    agreed, conflicts = splitting.part_conflicts(table, published)
    distinct = splitting.drop_duplicates(agreed, published)
    learnable = splitting.drop_overlap(distinct, published)
    clean = splitting.assign(learnable, published, params.valid_share, params.test_share)
    rows = {}
    for split, path in {"train": train, "valid": valid, "test": test}.items():
        part = clean.filter(pl.col("split") == split).drop("key")
        articles.write(part, path)
        rows[split] = part.height
    articles.write_table(
        conflicts.drop("key").with_columns(reason=pl.lit("the same text under two labels")), quarantine
    )
    counts = {
        "conflicts": conflicts.height,
        "duplicates": agreed.height - distinct.height,
        "overlap": distinct.height - learnable.height,
    }
    records.write({"read": table.height, **rows, "left_out": counts}, report)
    print(", ".join(f"{count:,} {name}" for name, count in (rows | counts).items()))
