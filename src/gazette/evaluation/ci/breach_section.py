"""The section of the comment on a corpus that breaks its contract; pure. It quotes no article."""

from typing import Any

from gazette.data.validation.breaches import QUARANTINE
from gazette.evaluation.ci.breach import Breach
from gazette.evaluation.ci.quoting import code_span, code_table, join_codes
from gazette.evaluation.markdown import escape_cell


def render_breach(breach: Breach) -> str:
    """Render the quarantine, first if it is the cause, what broke, and what to do."""
    cause = [row for row in breach.breaches if row["check"] == QUARANTINE]
    broken = [
        [
            code_span(row["severity"]),
            escape_cell(row["what"]),
            join_codes(_places(row["rows"])),
            escape_cell(row["cure"]),
        ]
        for row in breach.breaches
        if row["check"] != QUARANTINE
    ]
    rows = [[code_span(row["file"]), f"{row['line']:,}", code_span(row["reason"], 160)] for row in breach.rows]
    allowed = f"{breach.quarantined:,} rows ({breach.share:.1%}) are in quarantine; {breach.allowed:.1%} may be"
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
        "`validate` of `params.yaml`, if they are too strict for this corpus.",
    ]
    return "\n\n".join(part for part in parts if part)


def _places(rows: list[dict[str, Any]]) -> list[str]:
    return [f"{row['file']}, line {row['line']}" for row in rows]
