"""A part: tens of thousands of rows that one process or worker scores at once."""

import os
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from prefect_dvc.core import atomic

from gazette.core import files, tables
from gazette.core.bundle import Bundle
from gazette.serving.answers import answer
from gazette.serving.batch import journaling
from gazette.serving.batch.journaling import PartJournal

MANIFEST, PLAN, QUARANTINE, RUN = "manifest.json", "plan.json", "quarantine.parquet", "run.json"
STAGED, BUNDLE = "staged", "bundle"
PART = "part-{:05}.parquet"
BLOCK = 1024  # rows in a batch; the last bits of a probability depend on the other rows in its batch


def missing_parts(folder: Path, plan: dict[str, Any]) -> list[int]:
    """List the parts that do not exist yet."""
    return [number for number in range(plan["parts"]) if not (folder / PART.format(number)).exists()]


def score_part(folder: str, number: int) -> str:
    """Score a part and write it atomically; return why it is not in the journal, if it should be and is not.

    Idempotent, also if two do it at once.
    """
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # parts are scored side by side, each on one core
    to = Path(folder)
    plan = files.read_json(to / PLAN)
    classifier = _load_classifier(to / STAGED / BUNDLE, plan["model"]["digest"])
    request, first_row = to / STAGED / journaling.REQUEST, number * whole_blocks(plan["options"]["part_rows"])
    journal = PartJournal(request, to / PLAN, number, first_row) if request.exists() else None
    table = pl.concat(_score_blocks(to / STAGED / f"{number:05}.parquet", classifier, journal))
    if not plan["options"]["with_text"]:
        table = table.drop("text")
    with atomic.atomic_path(to / PART.format(number)) as partial, partial.open("wb") as file:
        table.write_parquet(file)
        if journal:
            journal.write(classifier)
    return journal.fault if journal else ""


def whole_blocks(rows: int) -> int:
    """Return a number of rows, rounded up to whole blocks."""
    return -(-rows // BLOCK) * BLOCK


def _score_blocks(staged: Path, classifier: Bundle, journal: PartJournal | None) -> Iterator[pl.DataFrame]:
    """Score block by block, so that a part of long articles fits in memory too."""
    labels = pl.Series(classifier.labels)
    rows = tables.scan_parquet(staged)
    for start in range(0, rows.select(pl.len()).collect().item(), BLOCK):
        block = rows.slice(start, BLOCK).collect()
        texts, began = block["text"].to_list(), time.perf_counter()
        answers = answer(classifier, texts)
        scores = answers.probabilities
        predicted = labels.gather(scores.argmax(axis=1))
        if journal:
            journal.add(texts, answers, predicted, time.perf_counter() - began)
        yield block.with_columns(label=predicted, probability=np.max(scores, axis=1))


@lru_cache(1)
def _load_classifier(folder: Path, digest: str) -> Bundle:
    """Load the bundle, once per process; on one thread, since their number changes the last bits of some networks."""
    return Bundle(folder, threads=1)
