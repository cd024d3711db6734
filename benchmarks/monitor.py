"""Time and memory of `gazette monitor` on a journal of many records.

    python benchmarks/monitor.py 10_000_000 FOLDER

Writes a project with a year of records, compacted by day, into an empty folder, observes it in a process of its own,
and prints what that took.
"""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from gazette.monitoring.observe import JOURNAL
from gazette.registry import ledger
from gazette.registry.ledger import VersionRef
from gazette.serving.journal import layout, read, write

DAYS, LABELS, DIGEST = 365, ["business", "sci_tech", "sports", "world"], "d" * 32 + ".dir"
FIRST = datetime(2025, 1, 6, tzinfo=UTC)
OBSERVE = """
import resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
began = time.perf_counter()
import polars as pl
from gazette.monitoring import reference
from gazette.monitoring.observe import observe
reference.predict = lambda *_: pl.read_parquet("labeled.parquet")  # ten thousand rows, without dates
observation = observe(Path(), "ag_news", datetime(2026, 1, 6, tzinfo=UTC))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
rows = sum(row["rows"] for row in observation.windows)
print(f"{rows:,} records in {len(observation.windows)} windows: {time.perf_counter() - began:.1f} s, {peak:.2f} GB")
"""


def main(records: int, folder: Path) -> None:
    """Write the project, then observe it."""
    folder.mkdir(parents=True)
    (folder / "params.yaml").write_text(Path("params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    os.chdir(folder)
    version = VersionRef("1", DIGEST, "c" * 40)
    ledger.append_entry(ledger.next_entry([], "promotion", "ag_news", version, "b", "", "c" * 40, None, FIRST))
    write.write_labels(JOURNAL, DIGEST, LABELS)
    (JOURNAL / layout.RECORDS).mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(7)
    labeled = _make_records(draw, 0, 10_000).with_columns(hour=pl.lit(None, pl.Datetime("us", "UTC")))
    actual = np.where(draw.random(10_000) < 0.9, labeled["label"], LABELS[0])
    labeled.with_columns(actual=actual).write_parquet("labeled.parquet")
    for day in range(DAYS):
        _write_day(draw, day, records // DAYS)
    size = sum(path.stat().st_size for path in JOURNAL.rglob("*.parquet"))
    print(f"{records:,} records, {size / 1e6:,.0f} MB", flush=True)
    subprocess.run([sys.executable, "-c", OBSERVE], check=True)


def _write_day(draw: np.random.Generator, day: int, rows: int) -> None:
    """Write a day as compaction does: a file whose metadata names what it replaces."""
    name = layout.closed_name(f"{FIRST + timedelta(days=day):%Y-%m-%d}", ".parquet")
    table = _make_records(draw, day, rows)
    table.write_parquet(JOURNAL / layout.RECORDS / name, metadata={layout.MERGED: json.dumps([])})


def _make_records(draw: np.random.Generator, day: int, rows: int) -> pl.DataFrame:
    """Return records of a day."""
    date = FIRST + timedelta(days=day)
    p = draw.dirichlet([0.3] * len(LABELS), rows).round(3)
    table = pl.DataFrame(
        {
            "hour": date + pl.Series(np.sort(draw.integers(24, size=rows)) * 3_600_000_000).cast(pl.Duration("us")),
            "digest": pl.Series([DIGEST]).new_from_index(0, rows),
            "id": pl.Series(np.arange(rows) + day * rows).cast(pl.String) + "#0",
            "label": np.array(LABELS)[p.argmax(axis=1)],
            "probabilities": p,
            "tokens": draw.poisson(40, rows),
            "unknown": draw.beta(1, 20, rows).round(3),
            "language": np.where(draw.random(rows) < 0.99, "und-Latn", ""),
            "milliseconds": draw.gamma(2, 0.2, rows),
            "source": pl.Series(["serve"]).new_from_index(0, rows),
        },
        strict=False,
    ).with_columns(pl.col("probabilities").cast(pl.List(pl.Float32)))
    return table.cast(read.SCHEMA)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
