"""The journal in numbers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from gazette.serving.journal import prune, read


def summarize(folder: Path, since: datetime | None = None, until: datetime | None = None) -> dict[str, Any]:
    """Return records, mean confidence, unknown tokens and labels by day, bundle and source; bytes and texts of all.

    Moments without a time zone are in UTC.
    """
    first, end = (moment and moment.replace(tzinfo=moment.tzinfo or UTC) for moment in (since, until))
    keys = [pl.col("hour").dt.strftime("%Y-%m-%d").alias("day"), pl.col("digest"), pl.col("source")]
    days = (
        read.scan(folder, first, end)
        .group_by(*keys)
        .agg(
            records=pl.len(),
            confidence=pl.col("probabilities").list.max().cast(pl.Float64).mean().round(3),
            unknown=pl.col("unknown").cast(pl.Float64).mean().round(4),
            tokens=pl.col("tokens").mean().round(1),
            labels=pl.col("label").value_counts(sort=True),
        )
        .sort("day", "digest", "source")
        .collect(engine="streaming")
    )
    rows = [row | {"labels": _shares(row["labels"], row["records"])} for row in days.to_dicts()]
    return {"folder": str(folder), "bytes": prune.size(folder), "texts": read.texts(folder).height, "days": rows}


def _shares(counts: list[dict[str, Any]], records: int) -> dict[str, float]:
    return {count["label"]: round(count["count"] / records, 4) for count in counts}
