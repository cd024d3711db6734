"""Texts that somebody wants labelled, from a file or standard input."""

import csv
import json
import sys
from pathlib import Path

from gazette.errors import Misconfigured


def read(source: Path) -> list[str]:
    """The texts of a CSV file or JSON lines (column `text`), or one per line; `-` is standard input, one per line."""
    if str(source) == "-":
        return [line.rstrip("\n") for line in sys.stdin]
    if not source.exists():
        raise Misconfigured(f"{source}: no such file")
    with source.open(encoding="utf-8-sig", newline="") as lines:
        if source.suffix == ".csv":
            rows = list(csv.DictReader(lines))
        elif source.suffix in (".jsonl", ".ndjson"):
            rows = [json.loads(line) for line in lines if line.strip()]
        else:
            return [line.rstrip("\r\n") for line in lines]
    for number, row in enumerate(rows, 1):
        if not isinstance(row.get("text"), str):
            raise Misconfigured(f"{source}, row {number}: no column `text`; it has {', '.join(map(str, row))}")
    return [row["text"] for row in rows]
