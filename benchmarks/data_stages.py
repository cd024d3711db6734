"""Seconds and peak memory of validate and preprocess on many rows.

    python benchmarks/data_stages.py data/raw/ag_news 100000 1000000

AG News' train.csv is repeated with a number appended to each text, so that no row is a duplicate.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

DESCRIPTION = """\
language: en
labels: [World, Sports, Business, Sci/Tech]
numbered_from: 1
files: {train: [{format: csv, path: train.csv, header: true, text: [text], label: class_index}]}
source: AG News, repeated
terms: research
"""
COMMANDS = {
    "validate": "--description d.yaml --raw . --validated v.parquet --quarantine q.parquet"
    " --examples e.parquet --report r.json --docs docs",
    "preprocess": "--description d.yaml --validated v.parquet --train train.parquet --valid valid.parquet"
    " --test test.parquet --quarantine q2.parquet --report p.json",
}


def lay_down(source: Path, rows: int, folder: Path) -> None:
    """Write `rows` rows, the articles of `source` repeated."""
    once = pl.read_csv(source, infer_schema=False)
    many = pl.concat([once] * (rows // once.height + 1)).head(rows).with_row_index()
    many.with_columns(text=pl.format("{} {}", "text", "index")).drop("index").write_csv(folder / "train.csv")
    (folder / "d.yaml").write_text(DESCRIPTION)


for count in map(int, sys.argv[2:]):
    with tempfile.TemporaryDirectory() as box:
        lay_down(Path(sys.argv[1]) / "train.csv", count, Path(box))
        (Path(box) / "params.yaml").write_bytes(Path("params.yaml").read_bytes())
        for name, options in COMMANDS.items():
            before = time.monotonic()
            # A separate process, whose children's peak is the stage's.
            code = (
                "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
            )
            command = [sys.executable, "-c", code, "gazette", name, *options.split()]
            done = subprocess.run(command, cwd=box, check=True, capture_output=True, text=True)
            peak = int(done.stdout.split()[-1]) / 1024
            print(f"{count:>10,} rows  {name:10}  {time.monotonic() - before:6.1f} s  {peak:6,.0f} MB", flush=True)
