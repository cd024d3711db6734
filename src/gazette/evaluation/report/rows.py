"""What the stages left, row by row, as the page tells it; pure."""

import json
import re
from statistics import NormalDist
from typing import Any

from gazette.core.escape import SEEN

Rows = list[dict[str, Any]]

DROPPED = {
    "conflicts": "the same text under two labels",
    "duplicates": "repeats an earlier article of its split",
    "overlap": "stands in valid or test too, so it leaves train",
}
EXCERPT = 320  # characters of an article that are shown at once
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def expectations(validation: dict[str, Any], max_quarantined: float) -> Rows:
    """What was expected, what was seen and what it means, breaches first."""
    whole = validation["corpus"]
    door = {
        "table": "corpus",
        "expects": f"quarantined rows must be a share of at most {max_quarantined:g}.",
        "meaning": "Rows that are no article of a known class are kept out; so many mean a damaged or misread file.",
        "severity": "critical",
        "success": whole["quarantined"] <= max_quarantined,
        "observed": json.dumps(whole["quarantined"]),
    }
    rows = []
    for finding in [door, *validation["expectations"]]:
        column, _, sentence = finding["expects"].partition(" ")
        seen = whole.get(column) if finding["table"] == "corpus" else None
        state = "passed" if finding["success"] else {"critical": "broken"}.get(finding["severity"], "warning")
        said = _said(json.loads(finding["observed"]) if seen is None else seen)
        rows.append(finding | {"column": column, "sentence": sentence, "seen": said, "state": state})
    return sorted(rows, key=lambda row: ["broken", "warning", "passed"].index(row["state"]))


def files(accounts: Rows) -> Rows:
    """An account of each raw file, with what was let pass in words."""
    return [
        account
        | {
            "unused": ", ".join(account["unused"]),
            "notes": "; ".join(f"{count:,} {note}" for note, count in account["notes"].items()),
        }
        for account in accounts
    ]


def classes(labels: list[str], splits: dict[str, dict[str, int]]) -> Rows:
    """A row for each class: its articles in each split and in all."""
    counts = {label: {split: found.get(label, 0) for split, found in splits.items()} for label in labels}
    return [{"label": label, **row, "all": sum(row.values())} for label, row in counts.items()]


def left_out(quarantine: Rows, dropped: dict[str, int]) -> Rows:
    """Why rows are in no split, and how many: those that `validate` kept out, then those that `preprocess` did."""
    return [
        *({"reason": row["reason"], "stage": "validate", "rows": row["rows"]} for row in quarantine),
        *({"reason": DROPPED[why], "stage": "preprocess", "rows": count} for why, count in dropped.items() if count),
    ]


def conflicting(rows: Rows) -> Rows:
    """Articles whose text has two labels, as the rows in quarantine look."""
    return [row | {"seen": f"{row['label']}: {row['text'][:SEEN]}"} for row in rows]


def candidates(scores: dict[str, dict[str, Any]], models: dict[str, Any], selected: str | None) -> Rows:
    """The candidates that have a score, in the order of preference."""
    return [
        {"name": name, "family": models[name]["family"], "selected": name == selected, **score}
        for name, score in scores.items()
    ]


def curve(candidate: str, epochs: Rows) -> Rows:
    """A row for each epoch and part of the corpus, with loss and accuracy."""
    return [
        {
            "candidate": candidate,
            "epoch": row["epoch"],
            "part": part,
            **{figure: row.get(f"{part}_{figure}") for figure in ("loss", "accuracy")},
        }
        for row in epochs
        for part in ("train", "valid")
    ]


def shares(confusion: Rows) -> Rows:
    """Adds each pair's share of the articles of its actual class."""
    totals: dict[str, int] = {}
    for row in confusion:
        totals[row["actual"]] = totals.get(row["actual"], 0) + row["rows"]
    return [row | {"share": row["rows"] / max(totals[row["actual"]], 1)} for row in confusion]


def mixed_up(confusion: Rows) -> Rows:
    """The pairs of classes of which one was taken for the other, the most frequent first."""
    wrong = [row for row in confusion if row["rows"] and row["actual"] != row["predicted"]]
    return sorted(wrong, key=lambda row: -int(row["rows"]))


def bounded(slices: Rows, confidence: float) -> Rows:
    """Adds each slice's Wilson interval (E. Wilson, JASA 1927), which holds for few rows and near 100 % too."""
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    rows = []
    for row in slices:
        share, n = row["accuracy"], row["rows"]
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = (z2 * (share * (1 - share) / n + z2 / (4 * n * n))) ** 0.5 / (1 + z2 / n)
        name = f"{row['slice']}: {row['value']}"
        rows.append(row | {"name": name, "low": max(middle - half, 0.0), "high": min(middle + half, 1.0)})
    return rows


def mistake(row: dict[str, Any]) -> dict[str, Any]:
    """The headline, where the first line is one, and the rest of the text in two parts: shown, and behind a click."""
    title, _, body = row["text"].strip().partition("\n")
    if len(title) > EXCERPT // 2:
        title, body = "", row["text"]
    body = body.strip()
    cut = len(body)
    if cut > EXCERPT * 1.25:
        space = body.rfind(" ", EXCERPT // 2, EXCERPT)
        cut = EXCERPT if space < 0 else space
    return row | {"title": title, "excerpt": body[:cut], "rest": body[cut:].strip()}


def visible(text: str) -> str:
    """Shows what would hide or turn text around (control characters, bidirectional overrides) as an escape."""
    return UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def shown(rows: Rows) -> Rows:
    """The rows with every text made visible, for a chart."""
    return [{key: visible(value) if isinstance(value, str) else value for key, value in row.items()} for row in rows]


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{kind}: {', '.join(map(str, found))}" for kind, found in value.items())
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.4g}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
