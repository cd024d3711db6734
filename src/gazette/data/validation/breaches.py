"""What breaks the corpus contract, in words: class, split, figure and bound, the first rows, and what to do.

Made from what validation records, so that the message, the report and the comment of CI say the same. Nothing here
quotes a text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from prefect_dvc.core.escape import escape

from gazette.core.escape import MAX_FILE, format_places, tally
from gazette.data.validation import quarantine
from gazette.data.validation.checks import CHECKS, CRITICAL, WARNING, Check, column_of
from gazette.data.validation.class_breaches import EXPLAIN, QUARANTINED, Explanation
from gazette.data.validation.facts import MAX_ROWS, Facts, first_places

MAX_BREACHES = 8  # in a message
QUARANTINE = "corpus.quarantined"


@dataclass(frozen=True)
class Breach:
    """A check that failed: `what` names class, split, figure and bound; `rows` are the first, by file and line."""

    check: str  # table and column of the profile
    severity: str
    what: str
    cure: str
    rows: list[dict[str, Any]] = field(default_factory=list)


def explain_breaches(
    report: Mapping[str, Any], rejects: pl.DataFrame, examples: pl.DataFrame, bounds: Mapping[str, Any]
) -> list[Breach]:
    """Explain the expectations that `report` says are not met, the most useful first, each cause once.

    Rows in quarantine come first if they are too many, or may be why articles are missing.
    """
    labels = list(dict.fromkeys(row["label"] for row in report["classes"]))
    facts = Facts(report, quarantine.attribute_rejects(rejects, labels), examples, bounds)
    failed = [finding for finding in report["expectations"] if not finding["success"]]
    stops = {(finding["table"], column_of(finding)) for finding in failed if finding["severity"] == CRITICAL}
    breaches = [
        Breach(f"{finding['table']}.{column_of(finding)}", finding["severity"], *explanation)
        for finding in failed
        if finding["severity"] == CRITICAL or (finding["table"], column_of(finding)) not in stops
        for explanation in _explain(finding, facts, {column_of(finding) for finding in failed})
    ]
    breaches.sort(key=lambda breach: breach.severity != CRITICAL)
    return [*_explain_quarantine(facts, breaches), *breaches]


def _explain_quarantine(facts: Facts, breaches: Sequence[Breach]) -> Iterator[Breach]:
    share, allowed = facts.report["corpus"]["quarantined"], facts.bounds["max_quarantined"]
    is_cause = any(QUARANTINED in breach.what for breach in breaches)
    if share <= allowed and not is_cause:
        return
    rows, kinds = facts.rejects.height, quarantine.describe_rejects(facts.rejects)
    cure = "Correct these rows, or the corpus description if every row is read wrongly."
    if share > allowed:
        what = (
            f"{tally(rows, 'row')} ({share:.1%}) break the row contract; validate.max_quarantined in params.yaml "
            f"allows {allowed:.1%}: {kinds}"
        )
    else:
        what = f"{tally(rows, 'row')} ({share:.2%}) went to quarantine, which may be why articles are missing: {kinds}"
    severity = CRITICAL if share > allowed or any(breach.severity == CRITICAL for breach in breaches) else WARNING
    yield Breach(QUARANTINE, severity, what, cure, first_places(facts.rejects))


def _explain(finding: dict[str, Any], facts: Facts, failed: set[str]) -> Iterator[Explanation]:
    column = column_of(finding)
    check = CHECKS[finding["table"]][column]
    if finding["table"] in EXPLAIN:
        yield from EXPLAIN[finding["table"]](facts, column, check)
        return
    exact = column.replace("near_", "exact_")
    if exact != column and exact in failed and facts.report["corpus"][exact] == facts.report["corpus"][column]:
        yield f"{check.name}: the same rows", "", []
    else:
        yield _explain_figure(finding, column, check, facts), check.cure, _examples_of(column, facts)


def _explain_figure(finding: dict[str, Any], column: str, check: Check, facts: Facts) -> str:
    value, bounds = facts.report["corpus"][column], facts.bounds
    if column == "rows":
        missing = f"; {facts.rejects.height:,} of them {QUARANTINED}" if facts.rejects.height else ""
        files = ", ".join(
            f"{tally(row['rows'], 'row')} in {escape(row['file'])}" for row in facts.report["files"][:MAX_ROWS]
        )
        return f"{tally(value, 'article')}, expected at least {bounds[check.bound]:,} ({check.key}): {files}{missing}"
    if column == "characters_50":
        low, high = bounds["min_median_characters"], bounds["max_median_characters"]
        key = "min_median_characters" if value < low else "max_median_characters"
        return f"{check.name}: {value:,.0f} characters, expected {low:,} to {high:,} (validate.{key})"
    if column == "giveaways":
        return f"{value:,} {check.name}, expected none"
    split = column.split("_")[2] if column.count("_") > 1 else None
    total = facts.rows_of(split if split in ("train", "valid", "test") else None)
    of = f"{value:.2%} ({round(value * total):,} of {tally(total, 'article')}{f' of {split}' if split else ''})"
    is_zero = not check.bound or (check.warns_of_any and finding["severity"] == WARNING)
    expected = "none" if is_zero else f"at most {bounds[check.bound]:.2%} ({check.key})"
    return f"{check.name}: {of}, expected {expected}"


def _examples_of(column: str, facts: Facts) -> list[dict[str, Any]]:
    if column == "personal_data":
        return facts.first(*facts.report["personal_data"])
    if column.startswith("near_"):
        _, kind, *splits = column.split("_")
        return facts.first(f"near_{kind}", split=splits[0] if splits else None)
    return facts.first(column)


def render_breaches(breaches: Sequence[Breach]) -> list[str]:
    """Return the first breaches as lines, a cure once, and how many more there are."""
    lines, cures = [], set[str]()
    for breach in breaches[:MAX_BREACHES]:
        places = f". The first: {format_places(breach.rows)}" if breach.rows else ""
        cure = f". {breach.cure}" if breach.cure and breach.cure not in cures else ""
        cures.add(breach.cure)
        lines.append(f"{'warning: ' if breach.severity == WARNING else ''}{breach.what}{places}{cure}")
    more = [f"and {len(breaches) - MAX_BREACHES:,} more, listed in the report"] if len(breaches) > MAX_BREACHES else []
    return [*lines, *more]


def render_message(breaches: Sequence[Breach], rejects: pl.DataFrame) -> str:
    """Return the message of a run that stops: rows in quarantine first, with what was seen, then the breaches."""
    lines, rest = [], list(breaches)
    if rest[0].check == QUARANTINE:
        cause = rest.pop(0)
        lines += [f"{cause.what}. The first of them:", *_quote_rejects(rejects), cause.cure]
    broken = any(breach.severity == CRITICAL for breach in rest)
    if rest:
        head = "the corpus breaks its contract:" if broken else "about the rest of the corpus:"
        lines += [head, *(f"  {line}" for line in render_breaches(rest))]
    if broken:
        where = "validate in params.yaml, or params.validate in the description"
        lines.append(f"Correct the corpus, or its bound ({where}) if it is too strict.")
    return "\n".join(lines)


def _quote_rejects(rejects: pl.DataFrame) -> list[str]:
    rows = rejects.head(MAX_ROWS).iter_rows(named=True)
    return [
        f"  {escape(row['file'], MAX_FILE)}, line {row['line']}: {row['reason']}; seen: {row['seen']}" for row in rows
    ]
