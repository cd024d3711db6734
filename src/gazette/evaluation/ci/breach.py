"""How a corpus breaks its contract, read from the output of validation: statistics and places, never text."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from gazette.core import files

MAX_ROWS = 10  # rows of the quarantine that are listed


@dataclass(frozen=True)
class Breach:
    """What broke, most useful first, the number of quarantined rows, and the first of them: file, line, reason.

    `breaches` are records of gazette.data.validation.breaches; `share` is the quarantined share of all rows, `allowed`
    the share that the contract tolerates.
    """

    breaches: list[dict[str, Any]]
    quarantined: int
    share: float
    allowed: float
    rows: list[dict[str, Any]]


def read_breach(paths: dict[str, str], allowed: float) -> Breach | None:
    """Read the stage's files, by option; None if the corpus could not even be read."""
    report, quarantine = Path(paths["report"]), Path(paths["quarantine"])
    if not report.exists():
        return None
    rows = pl.read_parquet(quarantine) if quarantine.exists() else pl.DataFrame(schema=["file", "line", "reason"])
    validation = files.read_json(report)
    return Breach(
        breaches=validation.get("breaches", []),
        quarantined=rows.height,
        share=validation["corpus"]["quarantined"],
        allowed=allowed,
        rows=rows.select("file", "line", "reason").head(MAX_ROWS).to_dicts(),
    )
