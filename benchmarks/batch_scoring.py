"""Rows per second and peak memory of `gazette score` with 1 and 2 workers, with and without the journal.

    python benchmarks/batch_scoring.py BUNDLE TEXTS.csv [ROWS]          articles in CSV; killed once halfway and resumed
    python benchmarks/batch_scoring.py BUNDLE TEXTS.csv ROWS titles     titles in Parquet

TEXTS.csv is AG News: class, title, description. Its rows are repeated up to ROWS, a million by default.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl


def main(bundle: str, texts: str, rows: str = "1000000", what: str = "articles") -> None:
    """Score with one worker, with two, and articles with two killed halfway and resumed."""
    with tempfile.TemporaryDirectory() as box:
        articles = Path(box) / ("articles.csv" if what == "articles" else "titles.parquet")
        write(Path(texts), articles, int(rows))
        for workers in (1, 2):
            for journal in (True, False):
                run(articles, Path(box) / f"whole{workers}{journal}", bundle, workers, journal)
        if what == "articles":
            kill(articles, Path(box), bundle, int(rows) // 65_536 // 2)


def kill(articles: Path, box: Path, bundle: str, parts: int) -> None:
    """Kill a scoring after so many parts, resume it, and compare."""
    killed, whole = box / "killed", box / "whole1True"
    run(articles, killed, bundle, 2, kill_after=parts)
    before = {path.name: path.stat().st_mtime_ns for path in killed.glob("part-*")}
    run(articles, killed, bundle, 2)
    unchanged = sum(killed.joinpath(name).stat().st_mtime_ns == time for name, time in before.items())
    equal = all((whole / path.name).read_bytes() == path.read_bytes() for path in killed.glob("[mpq]*.*"))
    print(f"{len(before)} parts when killed, {unchanged} of them kept; results equal to those of one worker: {equal}")


def write(texts: Path, articles: Path, rows: int) -> None:
    """Write `rows` rows, each with a number."""
    columns = ["class", "title", "description"]
    table = pl.read_csv(texts, has_header=False, new_columns=columns)
    text = pl.col("title") if articles.suffix == ".parquet" else pl.concat_str("title", "description", separator=" ")
    repeated = pl.concat([table.lazy().select(text=text)] * -(-rows // table.height)).head(rows).with_row_index("id")
    repeated = repeated.select(pl.col("id").cast(pl.String), "text")
    if articles.suffix == ".parquet":
        repeated.sink_parquet(articles, row_group_size=1 << 17)
    else:
        repeated.sink_csv(articles)


def run(articles: Path, to: Path, bundle: str, workers: int, journal: bool = True, kill_after: int = 0) -> None:
    """Score and print rate and peak memory of each process; kill it after `kill_after` parts."""
    words = ["score", str(articles), "--to", str(to), "--model", bundle, "--id", "id", "--workers", str(workers)]
    words += ["--journal", str(to.parent / f"journal-{to.name}")] if journal else ["--no-journal"]
    load, began = os.getloadavg()[0], time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "gazette", *words], stdout=subprocess.DEVNULL)
    peaks: dict[int, int] = {}
    ticks: dict[int, int] = {}
    while process.poll() is None:
        for pid in family(process.pid):
            peaks[pid], ticks[pid] = peak(pid) or peaks.get(pid, 0), cpu(pid) or ticks.get(pid, 0)
        if kill_after and len(list(to.glob("part-*"))) >= kill_after:
            process.send_signal(signal.SIGKILL)
        time.sleep(0.2)
    seconds = time.monotonic() - began
    first, *others = (value >> 10 for value in peaks.values())
    busy = sum(ticks.values()) / os.sysconf("SC_CLK_TCK")
    rows = 0 if kill_after else json.loads((to / "manifest.json").read_text())["rows"]["read"]
    print(
        f"{workers} workers, {'' if journal else 'no '}journal: {seconds:.0f} s ({busy:.0f} s of a core), "
        f"{rows / seconds:,.0f} rows/s ({rows / busy:,.0f} per core second); "
        f"peak MiB {first} here, {max(others, default=0)} in a worker; "
        f"load {load:.1f} to {os.getloadavg()[0]:.1f}{' (killed)' if kill_after else ''}",
        flush=True,
    )


def family(pid: int) -> list[int]:
    """Return a process and its children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return [pid, *map(int, children)]


def peak(pid: int) -> int:
    """Return the peak memory of a process in kibibytes."""
    try:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)


def cpu(pid: int) -> int:
    """Return the clock ticks that a process was busy."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


if __name__ == "__main__":
    main(*sys.argv[1:])
