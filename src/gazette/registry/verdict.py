"""A verdict: what was judged against what, by which rules, and what came of each."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"
ACCEPT, REJECT, CANNOT_TELL = "accept", "reject", "cannot tell"
REJECTED = 1  # the exit code of all but `accept`


@dataclass(frozen=True)
class Finding:
    """What a rule found; one that does not block warns."""

    rule: str
    blocks: bool
    outcome: str
    observed: Any
    expected: Any
    why: str = ""


@dataclass(frozen=True)
class Verdict:
    """What is known of the judged bundle and of the `other` (none: there was none, and `figures` says why)."""

    word: str
    digest: str
    revision: str
    corpus: str
    other: dict[str, Any] | None
    findings: list[Finding]
    figures: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """As JSON: keys and order are stable, floats have six decimals, and none where they are no number."""
        record: dict[str, Any] = _plain(asdict(self))
        return record

    @property
    def code(self) -> int:
        """The exit code."""
        return 0 if self.word == ACCEPT else REJECTED


def word(findings: Sequence[Finding]) -> str:
    """Reject where a rule that blocks failed, else cannot tell where one did not know, else accept."""
    outcomes = {finding.outcome for finding in findings if finding.blocks}
    return REJECT if FAIL in outcomes else CANNOT_TELL if UNKNOWN in outcomes else ACCEPT


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
