"""A part: tens of thousands of rows that one process or worker scores at once."""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gazette.core import atomic, files
from gazette.core.bundle import Bundle

MANIFEST, PLAN, QUARANTINE, RUN = "manifest.json", "plan.json", "quarantine.parquet", "run.json"
STAGED, BUNDLE = "staged", "bundle"
PART = "part-{:05}.parquet"
BLOCK = 1024  # rows in a batch; the last bits of a probability depend on the other rows in its batch


def missing_parts(folder: Path, plan: dict[str, Any]) -> list[int]:
    """List the parts that do not exist yet."""
    return [number for number in range(plan["parts"]) if not (folder / PART.format(number)).exists()]


def score_part(folder: str, number: int) -> int:
    """Score a part, write it atomically and return its number of rows. Idempotent, also if two do it at once."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # parts are scored side by side, each on one core
    to = Path(folder)
    plan = files.read_json(to / PLAN)
    classifier = _load_classifier(to / STAGED / BUNDLE, plan["model"]["digest"])
    table = pl.concat(_score_blocks(to / STAGED / f"{number:05}.parquet", classifier))
    if not plan["options"]["with_text"]:
        table = table.drop("text")
    with atomic.atomic_path(to / PART.format(number)) as partial:
        table.write_parquet(partial)
    return table.height


def _score_blocks(staged: Path, classifier: Bundle) -> Iterator[pl.DataFrame]:
    """Score block by block, so that a part of long articles fits in memory too."""
    labels = pl.Series(classifier.labels)
    rows = pl.scan_parquet(staged)
    for start in range(0, rows.select(pl.len()).collect().item(), BLOCK):
        block = rows.slice(start, BLOCK).collect()
        scores = classifier.probabilities(block["text"].to_list())
        yield block.with_columns(label=labels.gather(scores.argmax(axis=1)), probability=np.max(scores, axis=1))


@lru_cache(1)
def _load_classifier(folder: Path, digest: str) -> Bundle:
    """Load the bundle, once per process; on one thread, since their number changes the last bits of some networks."""
    return Bundle(folder, threads=1)
