"""A verdict: what was judged against which baseline, and the finding of each rule."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"
ACCEPT, REJECT, INCONCLUSIVE = "accept", "reject", "inconclusive"
REJECTED = 1  # the exit code of every word but `accept`


@dataclass(frozen=True)
class Finding:
    """The result of a rule; one that does not block only warns."""

    rule: str
    blocks: bool = field(default=True, kw_only=True)
    outcome: str
    observed: Any
    expected: Any
    why: str = ""


@dataclass(frozen=True)
class Verdict:
    """The decision on a bundle and its `baseline` (None if there was none; then `figures` says why)."""

    word: str
    digest: str
    revision: str
    corpus: str
    baseline: dict[str, Any] | None
    findings: list[Finding]
    figures: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Return the verdict for JSON: stable keys and order, floats with six decimals, None if not finite."""
        record: dict[str, Any] = _plain(asdict(self))
        return record

    @property
    def unmet(self) -> list[str]:
        """The rules that did not pass and block, each once."""
        blocking = (finding.rule for finding in self.findings if finding.blocks and finding.outcome != PASS)
        return list(dict.fromkeys(blocking))

    @property
    def rows_needed(self) -> str:
        """How many test rows would decide, after a semicolon; empty if the rows suffice."""
        if self.word != INCONCLUSIVE:
            return ""
        window = self.figures.get("newest", {})
        counts = {
            "test rows": (self.figures.get("rows"), self.figures.get("difference", {}).get("rows_needed")),
            "rows in the newest window": (window.get("rows"), window.get("rows_needed")),
        }
        return "".join(
            f"; {rows:,} {name}, about {needed:,} would be enough" for name, (rows, needed) in counts.items() if needed
        )

    @property
    def looks(self) -> str:
        """How many bundles were judged on these test rows, after a semicolon; empty if this is the only one."""
        bundles = self.figures.get("looks", {}).get("bundles", 1)
        return f"; {bundles:,} bundles were judged on these test rows" if bundles > 1 else ""

    @property
    def code(self) -> int:
        """The exit code."""
        return 0 if self.word == ACCEPT else REJECTED


def from_record(record: dict[str, Any]) -> Verdict:
    """Return the verdict of a record, such as `gazette gate --json` prints."""
    return Verdict(**record | {"findings": [Finding(**finding) for finding in record["findings"]]})


def decide(findings: Sequence[Finding]) -> str:
    """Reject if a blocking rule failed, else inconclusive if one is unknown, else accept."""
    outcomes = {finding.outcome for finding in findings if finding.blocks}
    return REJECT if FAIL in outcomes else INCONCLUSIVE if UNKNOWN in outcomes else ACCEPT


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
