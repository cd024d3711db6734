"""Records of a journal for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from root import ROOT

from gazette.monitoring import answers, observe
from gazette.registry import ledger
from gazette.registry.ledger import VersionRef
from gazette.serving.journal import write
from gazette.serving.journal.read import SCHEMA

LABELS, DIGEST = ["sport", "trade"], "d" * 32 + ".dir"
FIRST = datetime(2025, 1, 13, 12, tzinfo=UTC)


def records(rows: Sequence[dict[str, Any]], labels: Sequence[str]) -> pl.DataFrame:
    """Return records with the columns of the journal; a row may give day, label, confidence, tokens, and any column."""
    filled = []
    for number, row in enumerate(rows):
        label, confidence = row.get("label", labels[0]), row.get("confidence", 0.9)
        rest = (1 - confidence) / (len(labels) - 1)
        filled.append(
            {
                "hour": FIRST + timedelta(days=row.get("day", 0)), "digest": "d", "id": str(number), "label": label,
                "probabilities": [confidence if name == label else rest for name in labels],
                "tokens": 10, "unknown": 0.0, "language": "und-Latn", "milliseconds": 1.0, "source": "serve",
            }
            | {key: value for key, value in row.items() if key in SCHEMA}
        )  # fmt: skip
    return pl.DataFrame(filled, schema=SCHEMA)


def traffic(days: int, seed: int = 0, changed_from: int = 10**9) -> pl.DataFrame:
    """Return fifty articles a day; from one on, nine in ten are of the first label, before it half."""
    draw, rows = np.random.default_rng(seed), []
    for day in range(days):
        share = 0.9 if day >= changed_from else 0.5
        picks = draw.random(50) > share
        rows += [{"hour": FIRST + timedelta(days=day), "label": LABELS[int(pick)], "digest": DIGEST} for pick in picks]
    return records(rows, LABELS)


def fill(root: Path, table: pl.DataFrame) -> None:
    """Write records to the journal of a project, an hour after another."""
    journal = root / observe.JOURNAL
    for (hour,), part in table.group_by("hour", maintain_order=True):
        assert isinstance(hour, datetime)
        write.write_table(journal, hour.strftime("%Y-%m-%dT%H"), "score-1", part)
    write.write_labels(journal, DIGEST, LABELS)


def promote(version: VersionRef, when: datetime) -> None:
    """Make a version champion."""
    entry = ledger.next_entry(ledger.read_ledger(), "promotion", "bbc_news", version, "t", "", "c" * 40, None, when)
    ledger.append_entry(entry)


def make_watched(root: Path) -> None:
    """Make the working directory a project with a champion."""
    (root / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    promote(VersionRef("3", DIGEST, "c" * 40), FIRST - timedelta(days=1))


def record_answers(root: Path, errors: list[bool], how: str = "asked", first: int = 0) -> None:
    """Record answers about articles of successive hours."""
    rows = []
    for number, wrong in enumerate(errors, first):
        hour = (FIRST + timedelta(hours=number)).strftime(answers.HOUR)
        rows.append({"id": f"{how}{number}", "hour": hour, "digest": DIGEST, "predicted": "sport", "how": how,
                     "when": "2025-06-01T00:00:00+00:00", "label": "trade" if wrong else "sport"})  # fmt: skip
    folder = root / observe.FOLDER / answers.ANSWERS
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "2025-06-01.jsonl").open("a") as file:
        file.writelines(map(answers._line, rows))
