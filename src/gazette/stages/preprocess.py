"""Turns valid articles into clean train, valid and test splits and a quarantine of conflicting labels."""

from pathlib import Path

import polars as pl
from pydantic import BaseModel, Field

from gazette import articles, corpus, normalizing, records, splitting
from gazette.errors import BrokenContract


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
    table = normalizing.with_key(articles.read(valid_articles))
    agreed, conflicts = splitting.part_conflicts(table, published)
    distinct = splitting.drop_duplicates(agreed, published)
    learnable = splitting.drop_overlap(distinct, published)
    clean = splitting.assign(learnable, published, params.valid_share, params.test_share)
    _refuse_empty(clean, described.labels)
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


def _refuse_empty(clean: pl.DataFrame, labels: list[str]) -> None:
    there = set(clean.select("split", "label").unique().iter_rows())
    if missing := [
        f"{label} in {split}" for split in ("train", "valid", "test") for label in labels if (split, label) not in there
    ]:
        raise BrokenContract(
            f"no article of {', '.join(missing)}: a class needs articles to be learned from and to be judged on. "
            "Add articles, or raise valid_share and test_share in section preprocess of params.yaml."
        )
