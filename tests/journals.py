"""Records of a journal for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from gazette.serving.journal.read import SCHEMA

FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)


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
