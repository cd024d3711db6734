"""Seconds, processor seconds and peak memory of validate and preprocess on many rows.

    python benchmarks/data_stages.py data/raw/ag_news 100000 1000000

AG News' train.csv is repeated with a number in letters appended to each text, so that no row is a duplicate or may have
a phone number. A file has at most ten million rows (2.5 GB).
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
from stage_calls import stage_command

DESCRIPTION = """\
language: en
labels: [World, Sports, Business, Sci/Tech]
numbered_from: 1
files: {train: [FILES]}
source: AG News, repeated
terms: research
"""
COMMANDS = {
    "validate": stage_command("validate", description="d.yaml", raw="."),
    "preprocess": stage_command("preprocess", description="d.yaml"),
}


FILE = "{format: csv, path: NAME, header: true, text: [text], label: class_index}"
FILE_ROWS = 10_000_000


def lay_down(source: Path, rows: int, folder: Path) -> None:
    """Write `rows` rows, the articles of `source` repeated, part by part."""
    once = pl.read_csv(source, infer_schema=False)
    names = []
    for begin in range(0, rows, FILE_ROWS):
        end = min(begin + FILE_ROWS, rows)
        names.append(f"train{begin // FILE_ROWS}.csv")
        with (folder / names[-1]).open("wb") as file:
            for start in range(begin, end, once.height):
                part = once.head(end - start).with_row_index(offset=start)
                number = pl.col("index").cast(pl.String).str.replace_many(list("0123456789"), list("abcdefghij"))
                part = part.with_columns(text=pl.format("{} {}", "text", number)).drop("index")
                part.write_csv(file, include_header=start == begin)
    (folder / "d.yaml").write_text(
        DESCRIPTION.replace("FILES", ", ".join(FILE.replace("NAME", name) for name in names))
    )


for count in map(int, sys.argv[2:]):
    with tempfile.TemporaryDirectory() as box:
        lay_down(Path(sys.argv[1]) / "train.csv", count, Path(box))
        (Path(box) / "params.yaml").write_bytes(Path("params.yaml").read_bytes())
        for name, stage in COMMANDS.items():
            before = time.monotonic()
            # A separate process, whose children's peak is the stage's.
            code = (
                "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
                "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
                "print(used.ru_utime + used.ru_stime, used.ru_maxrss)"
            )
            command = [sys.executable, "-c", code, *stage]
            done = subprocess.run(command, cwd=box, check=True, stdout=subprocess.PIPE, text=True)
            processor, peak = map(float, done.stdout.split()[-2:])
            wall = f"{time.monotonic() - before:6.1f} s, {processor:6.1f} of processors"
            print(f"{count:>10,} rows  {name:10}  {wall}  {peak / 1024:6,.0f} MB", flush=True)
