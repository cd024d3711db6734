"""A part: some ten thousand rows that are scored in one go, by a process here or a worker elsewhere."""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import polars as pl

from gazette.core import files
from gazette.core.bundle import Bundle

MANIFEST, PLAN, QUARANTINE, RUN = "manifest.json", "plan.json", "quarantine.parquet", "run.json"
STAGED, BUNDLE = "staged", "bundle"
PART = "part-{:05}.parquet"
BLOCK = 1024  # rows that run through the network together: another company, another last bit


def missing(folder: Path, plan: dict[str, Any]) -> list[int]:
    """The parts that are not there yet."""
    return [number for number in range(plan["parts"]) if not (folder / PART.format(number)).exists()]


def score(folder: str, number: int) -> int:
    """Scores a part and writes it, whole or not at all; how many rows it has. Twice is once, two at once too."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # parts are scored side by side, each on one core
    there = Path(folder)
    plan = files.read(there / PLAN)
    classifier = _classifier(there / STAGED / BUNDLE, plan["model"]["digest"])
    table = pl.concat(_scored(there / STAGED / f"{number:05}.parquet", classifier))
    if not plan["options"]["with_text"]:
        table = table.drop("text")
    partial = there / f".{PART.format(number)}.{uuid4().hex}.partial"
    table.write_parquet(partial)
    partial.rename(there / PART.format(number))
    return table.height


def _scored(staged: Path, classifier: Bundle) -> Iterator[pl.DataFrame]:
    """Block by block, so that a part of long articles fits in memory as well."""
    labels = pl.Series(classifier.labels)
    rows = pl.scan_parquet(staged)
    for start in range(0, rows.select(pl.len()).collect().item(), BLOCK):
        block = rows.slice(start, BLOCK).collect()
        found = classifier.probabilities(block["text"].to_list())
        yield block.with_columns(label=labels.gather(found.argmax(axis=1)), probability=np.max(found, axis=1))


@lru_cache(1)
def _classifier(folder: Path, digest: str) -> Bundle:
    """The bundle, read once by a process; on one thread, for their number changes last bits of some networks."""
    return Bundle(folder, threads=1)
