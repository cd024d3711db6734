"""What the contract holds against a corpus, from what validation left: figures and places, never text."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from gazette.core import files

ROWS = 10  # of the quarantine that are told


@dataclass(frozen=True)
class Breach:
    """Expectations that failed, how many rows are in quarantine, and the first of them: file, line, reason.

    `share` is theirs of all rows, `allowed` the share that stops nothing.
    """

    expectations: list[dict[str, Any]]
    quarantined: int
    share: float
    allowed: float
    rows: list[dict[str, Any]]


def read(paths: dict[str, str], allowed: float) -> Breach | None:
    """Of the stage's files by option; none where the corpus could not even be read."""
    report, quarantine = Path(paths["report"]), Path(paths["quarantine"])
    if not report.exists():
        return None
    held = pl.read_parquet(quarantine) if quarantine.exists() else pl.DataFrame(schema=["file", "line", "reason"])
    told = files.read(report)
    failed = [one for one in told["expectations"] if not one["success"]]
    return Breach(
        expectations=sorted(failed, key=lambda one: one["severity"] != "critical"),
        quarantined=held.height,
        share=told["corpus"]["quarantined"],
        allowed=allowed,
        rows=held.select("file", "line", "reason").head(ROWS).to_dicts(),
    )
