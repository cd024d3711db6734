"""Rows of the report's tables and charts."""

import json
import re
from collections.abc import Sequence
from typing import Any

from prefect_dvc.core.escape import MAX_SHOWN

from gazette.core.escape import format_places
from gazette.data.validation.breaches import QUARANTINE, Breach
from gazette.data.validation.checks import CHECKS
from gazette.evaluation.intervals import wilson_interval

Rows = list[dict[str, Any]]

REASONS = {
    "conflicts": "the same text has two labels",
    "duplicates": "repeats an earlier article of its split",
    "overlap": "also in valid or test, so removed from train",
}
BOUNDS = {
    "minimum value must be greater than or equal to": "at least",
    "maximum value must be less than or equal to": "at most",
    "values must be greater than or equal to": "from",
    "and less than or equal to": "to",
    "distinct values must match this set": "are those of the description",
}
EXCERPT = 320  # characters of an article that are shown at once
HIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def expectation_rows(validation: dict[str, Any], max_quarantined: float, breaches: Sequence[Breach] = ()) -> Rows:
    """Return each expectation with what was observed, and what broke if it is not met; breaches come first."""
    whole = validation["corpus"]
    is_cause = any(breach.check == QUARANTINE for breach in breaches)
    quarantine = {
        "table": "corpus",
        "expects": f"quarantined at most {max_quarantined:g}.",
        "meaning": "Rows that are no article of a known class are left out; this many mean a damaged or misread file.",
        "severity": "critical" if whole["quarantined"] > max_quarantined else "warning",
        "success": whole["quarantined"] <= max_quarantined and not is_cause,
        "observed": json.dumps(whole["quarantined"]),
    }
    rows = []
    for finding in [quarantine, *validation["expectations"]]:
        column, _, sentence = finding["expects"].partition(" ")
        name = CHECKS[finding["table"]][column].name if column != "quarantined" else "share of rows in quarantine"
        check = f"{finding['table']}.{column}"
        broken = [] if finding["success"] else [breach for breach in breaches if breach.check == check]
        details = [
            f"{breach.what}{f'. The first: {format_places(breach.rows)}' if breach.rows else ''}. {breach.cure}"
            for breach in broken
        ]
        value = whole.get(column) if finding["table"] == "corpus" else None
        state = "passed" if finding["success"] else {"critical": "broken"}.get(finding["severity"], "warning")
        observed = _format_value(json.loads(finding["observed"]) if value is None else value)
        named = {"name": name, "sentence": _shorten(sentence), "details": details}
        meaning = finding["meaning"].replace("see `personal_data`", "they are counted below")
        rows.append(finding | named | {"meaning": meaning, "observed": observed, "state": state})
    cause, *others = rows
    others.sort(key=lambda row: ["broken", "warning", "passed"].index(row["state"]))
    return [cause, *others] if is_cause else [*others, cause]


def _shorten(sentence: str) -> str:
    """Return a bound in fewer words than Great Expectations has."""
    for long, short in BOUNDS.items():
        sentence = sentence.replace(long, short)
    return sentence


def file_rows(accounts: Rows) -> Rows:
    """Return the account of each raw file, with unused columns and what was tolerated as text."""
    return [
        account
        | {
            "unused": ", ".join(account["unused"]),
            "notes": "; ".join(f"{count:,} {note}" for note, count in account["notes"].items()),
        }
        for account in accounts
    ]


def class_rows(labels: list[str], splits: dict[str, dict[str, int]]) -> Rows:
    """Return the articles of each class, in each split and in all."""
    counts = {label: {split: rows.get(label, 0) for split, rows in splits.items()} for label in labels}
    return [{"label": label, **row, "all": sum(row.values())} for label, row in counts.items()]


def dropped_rows(quarantine: Rows, dropped: dict[str, int]) -> Rows:
    """Return why rows are in no split, and how many: those that `validate` rejected, then those of `preprocess`."""
    return [
        *({"reason": row["reason"], "stage": "validate", "rows": row["rows"]} for row in quarantine),
        *({"reason": REASONS[why], "stage": "preprocess", "rows": count} for why, count in dropped.items() if count),
    ]


def conflict_rows(rows: Rows) -> Rows:
    """Return articles whose text has two labels in the form of quarantined rows."""
    return [row | {"seen": f"{row['label']}: {row['text'][:MAX_SHOWN]}"} for row in rows]


def candidate_rows(scores: dict[str, dict[str, Any]], models: dict[str, Any], selected: str | None) -> Rows:
    """Return the candidates that have a score, in order of preference."""
    return [
        {"name": name, "family": models[name]["family"], "selected": name == selected, **score}
        for name, score in scores.items()
    ]


def curve_rows(candidate: str, epochs: Rows) -> Rows:
    """Return loss and accuracy for each epoch and split."""
    return [
        {
            "candidate": candidate,
            "epoch": row["epoch"],
            "split": split,
            **{figure: row.get(f"{split}_{figure}") for figure in ("loss", "accuracy")},
        }
        for row in epochs
        for split in ("train", "valid")
    ]


def add_shares(confusion: Rows) -> Rows:
    """Add each cell's share of the articles of its actual class."""
    totals: dict[str, int] = {}
    for row in confusion:
        totals[row["actual"]] = totals.get(row["actual"], 0) + row["rows"]
    return [row | {"share": row["rows"] / max(totals[row["actual"]], 1)} for row in confusion]


def list_errors(confusion: Rows) -> Rows:
    """Return the cells of the confusion matrix that are errors, the most frequent first."""
    errors = [row for row in confusion if row["rows"] and row["actual"] != row["predicted"]]
    return sorted(errors, key=lambda row: -int(row["rows"]))


def add_intervals(slices: Rows, confidence: float) -> Rows:
    """Add each slice's Wilson interval."""
    rows = []
    for row in slices:
        low, high = wilson_interval(row["accuracy"], row["rows"], confidence)
        rows.append(row | {"name": f"{row['slice']}: {row['value']}", "low": low, "high": high})
    return rows


def split_article(row: dict[str, Any]) -> dict[str, Any]:
    """Split a text into its headline, if the first line is one, an excerpt, and the rest."""
    title, _, body = row["text"].strip().partition("\n")
    if len(title) > EXCERPT // 2:
        title, body = "", row["text"]
    body = body.strip()
    cut = len(body)
    if cut > EXCERPT * 1.25:
        space = body.rfind(" ", EXCERPT // 2, EXCERPT)
        cut = EXCERPT if space < 0 else space
    return row | {"title": title, "excerpt": body[:cut], "rest": body[cut:].strip()}


def escape_hidden(text: str) -> str:
    """Escape what would hide or reorder text: control characters and bidirectional overrides."""
    return HIDDEN.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def escape_rows(rows: Rows) -> Rows:
    """Escape every text in rows, for a chart."""
    return [
        {key: escape_hidden(value) if isinstance(value, str) else value for key, value in row.items()} for row in rows
    ]


def _format_value(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{kind}: {', '.join(map(str, items))}" for kind, items in value.items())
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.4g}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
