"""What a scoring adds to the journal: a file per part, written before the part itself, and texts of the sample.

The request lies beside the staged articles, so that every process and machine that scores a part has it. The hour is
that of the plan, so that a part that is scored again after a kill replaces its file.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from gazette.core import files
from gazette.core.bundle import Bundle
from gazette.serving.answers import Answers
from gazette.serving.journal import records, scripts, write
from gazette.serving.journal.read import SCHEMA, to_moment
from gazette.serving.journal.sample import Sample

REQUEST = "journal.json"


@dataclass
class Journal:
    """Where a scoring is recorded, the share of its texts that are kept, and why parts could not be recorded."""

    folder: Path
    sample: float
    faults: list[str] = field(default_factory=list)

    def write_request(self, staged: Path) -> None:
        """Write where parts are recorded."""
        files.write_json(staged / REQUEST, {"folder": str(self.folder.absolute()), "sample": self.sample})


class PartJournal:
    """Collects the records of a part, and the texts that are drawn; `fault` is why they cannot be written, if so."""

    def __init__(self, request: Path, plan: Path, number: int, first_row: int) -> None:
        record, scoring = files.read_json(request), files.read_json(plan)
        wanted = json.dumps([scoring[key] for key in ("input", "model", "options", "gazette")], sort_keys=True)
        self.folder, self.digest, self.fault = Path(record["folder"]), scoring["model"]["digest"], ""
        self.name = hashlib.sha256(wanted.encode()).hexdigest()[:12]
        self.hour = records.hour_of(datetime.fromtimestamp(plan.stat().st_mtime, UTC))
        self.number, self.row = number, first_row
        self.tables: list[pl.DataFrame] = []
        self.drawn: list[tuple[str, str]] = []
        self.sample: Sample | None = None
        if record["sample"]:
            with self._noting_faults():
                self.sample = Sample(self.folder, record["sample"])

    def add(self, texts: Sequence[str], answers: Answers, labels: pl.Series, seconds: float) -> None:
        """Add the answers to texts, whose labels are these."""
        ids = [f"{self.name}#{row}" for row in range(self.row, self.row + len(texts))]
        self.row += len(texts)
        columns = {
            "id": ids,
            "label": labels,
            "probabilities": answers.probabilities.round(3),
            "tokens": answers.tokens,
            "unknown": answers.unknown.round(3),
            "language": [scripts.language(text) for text in texts],
        }
        constants = {"digest": self.digest, "milliseconds": 1000 * seconds / len(texts), "source": "score"}
        table = pl.DataFrame(columns).with_columns(
            to_moment(pl.lit(self.hour)).alias("hour"),
            *(pl.lit(value).alias(key) for key, value in constants.items()),
        )
        self.tables.append(table.select(pl.col(key).cast(kind) for key, kind in SCHEMA.items()))
        if self.sample:
            self.drawn += self.sample.draw(ids, texts)

    def write(self, classifier: Bundle) -> None:
        """Write records and texts."""
        with self._noting_faults():
            write.write_labels(self.folder, self.digest, classifier.labels)
            write.write_table(self.folder, self.hour, f"score-{self.name}-{self.number:05}", pl.concat(self.tables))
            if self.sample and self.drawn:
                self.sample.append(self.hour, self.drawn, classifier.language)

    @contextmanager
    def _noting_faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.fault = f"{self.folder}: {error.strerror or 'the disk is full'}"
