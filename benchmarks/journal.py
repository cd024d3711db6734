"""What the journal costs: a record that is written, ten million that are compacted and read.

    python benchmarks/journal.py                        # µs a record; a million records
    RECORDS=10000000 python benchmarks/journal.py       # needs 4 GB of disk

Each step of the second table is a process of its own, so that its peak of memory is its own.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from gazette.serving.answers import Answers
from gazette.serving.journal import layout, prune, read, records, scripts, write
from gazette.serving.journal.params import Params

RECORDS = int(os.environ.get("RECORDS", "1000000"))
DAYS, LABELS = 100, [f"label{number}" for number in range(5)]
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
ROWS = np.random.default_rng(7).dirichlet(np.full(5, 0.3), 256).astype(np.float32)
TEXT = "Shares in the oil company fell after the bank cut its forecast for the year, analysts said."


def make_answers(count: int, start: int) -> Answers:
    rows = np.arange(start, start + count)
    return Answers(ROWS[rows % 256], rows % 400, (rows % 40) / 400)


def make(answers: Answers, start: int, hour: str) -> list[records.Prediction]:
    ids = [f"{number * 2654435761 % 2**64:032x}#0" for number in range(start, start + len(answers.tokens))]
    languages = [scripts.language(TEXT) for _ in ids]
    return records.make(answers, LABELS, ids, languages, hour=hour, digest="d" * 32 + ".dir", milliseconds=1.5,
                        source="serve")  # fmt: skip


def fill(folder: Path) -> None:
    for start in range(0, RECORDS, 256):
        moment = START + timedelta(hours=start * 24 * DAYS // RECORDS)
        answers = make_answers(min(256, RECORDS - start), start)
        write.append(folder, make(answers, start, records.hour_of(moment)))


def compact(folder: Path) -> None:
    prune.tidy(folder, Params(journal_megabytes=10**6), END)
    sizes = [segment.size for segment in layout.split_replaced(layout.list_segments(folder))[0]]
    print(f"{sum(sizes) / RECORDS:.1f} bytes a record in {len(sizes)} files")


def scan(folder: Path) -> None:
    week = pl.col("hour").dt.truncate("7d")
    means = [pl.len(), pl.col("unknown").mean(), pl.col("tokens").mean(), pl.col("probabilities").list.max().mean()]
    table = read.scan(folder).group_by(week, "label").agg(means).collect(engine="streaming")
    assert table["len"].sum() == RECORDS


STEPS: dict[str, Callable[[Path], None]] = {"fill": fill, "compact": compact, "scan": scan}


def time_records(box: Path) -> None:
    """Print the microseconds of the processor that a record takes, made of an answer and appended in batches."""
    for batch in (1, 8, 64, 256):
        answers = make_answers(batch, 0)
        began, total = time.process_time(), 20_000
        for start in range(0, total, batch):
            write.append(box, make(answers, start, "2026-01-01T00"))
        print(f"{(time.process_time() - began) / total * 1e6:6.1f} µs a record, {batch} in a write")
    for name, text in (("ASCII", TEXT), ("Chinese", "央行宣布下调存款准备金率 " * 30)):
        began = time.process_time()
        for _ in range(20_000):
            scripts.language(text)
        print(f"{(time.process_time() - began) / 20_000 * 1e6:6.1f} µs for the script of a text, {name}")


def main() -> None:
    with tempfile.TemporaryDirectory() as box:
        time_records(Path(box))
        print(f"{RECORDS:,} records, {DAYS} days")
        for name in STEPS:
            began = time.perf_counter()
            subprocess.run([sys.executable, __file__, name, f"{box}/journal"], check=True)
            print(f"{name}: {time.perf_counter() - began:.1f} s, {prune.size(Path(box, 'journal')):,} bytes on disk")


if __name__ == "__main__":
    if sys.argv[1:]:
        STEPS[sys.argv[1]](Path(sys.argv[2]))
        print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MiB")
    else:
        main()
