"""How a corpus breaks its contract, as a section of the comment; it quotes no article."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from gazette.core import files, tables
from gazette.core.escape import tally
from gazette.data.validation.breaches import QUARANTINE
from gazette.evaluation.ci.quoting import code_span, code_table, join_codes
from gazette.evaluation.markdown import escape_cell

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
    rows = tables.read_parquet(quarantine) if quarantine.exists() else pl.DataFrame(schema=["file", "line", "reason"])
    validation = files.read_json(report)
    return Breach(
        breaches=validation.get("breaches", []),
        quarantined=rows.height,
        share=validation["corpus"]["quarantined"],
        allowed=allowed,
        rows=rows.select("file", "line", "reason").head(MAX_ROWS).to_dicts(),
    )


def render_breach(breach: Breach) -> str:
    """Render the quarantine, first if it is the cause, what broke, and what to do."""
    cause = [row for row in breach.breaches if row["check"] == QUARANTINE]
    broken = [
        [
            code_span(row["severity"]),
            escape_cell(row["what"]),
            join_codes([f"{place['file']}, line {place['line']}" for place in row["rows"]]),
            escape_cell(row["cure"]),
        ]
        for row in breach.breaches
        if row["check"] != QUARANTINE
    ]
    rows = [[code_span(row["file"]), f"{row['line']:,}", code_span(row["reason"], 160)] for row in breach.rows]
    allowed = f"{tally(breach.quarantined, 'row')} ({breach.share:.1%}) went to quarantine; {breach.allowed:.1%} may"
    quarantine = [
        f"{escape_cell(cause[0]['what'] if cause else allowed)}." + (" The first of them:" if rows else ""),
        code_table(["file", "line", "reason"], rows),
    ]
    table = code_table(["severity", "what broke", "the first rows", "what to do"], broken)
    parts = [
        *(quarantine if cause else []),
        table,
        *(quarantine if rows and not cause else []),
        "Nothing was trained. Correct the corpus or its description, then `dvc add` it; or relax the bounds in section "
        "`params.validate` of its description, or `validate` of `params.yaml`, if they are too strict for this corpus.",
    ]
    return "\n\n".join(part for part in parts if part)
