"""The account of a scoring: what was read, which version labelled it, what came out, against what it learned from."""

from pathlib import Path
from typing import Any

import polars as pl
from scipy.spatial.distance import jensenshannon

from gazette.core import files as records
from gazette.pipeline import hashing
from gazette.serving.batch.parts import BUNDLE, MANIFEST, PART, PLAN, STAGED


def write(folder: Path, plan: dict[str, Any]) -> None:
    """Writes the manifest from the parts, one after another; nothing in it tells of the machine or the hour."""
    labels = records.read(folder / STAGED / BUNDLE / "bundle.json")["labels"]
    below, uncertain = plan["options"]["uncertain"], 0
    rows, files = dict.fromkeys(labels, 0), []
    for number in range(plan["parts"]):
        path = folder / PART.format(number)
        part = pl.read_parquet(path, columns=["label", "probability"])
        for label, count in part.group_by("label").len().iter_rows():
            rows[label] += count
        uncertain += part.filter((pl.col("probability") < below) | pl.col("probability").is_nan()).height
        files.append({"file": path.name, "rows": part.height, "sha256": hashing.of_file(path)})
    scored, lost = sum(rows.values()), sum(reason["rows"] for reason in plan["quarantined"])
    record = {
        "input": plan["input"],
        "model": {"name": plan["version"]["name"], "version": plan["version"]["version"], **plan["model"]},
        "options": plan["options"],
        "gazette": plan["gazette"],
        "rows": {"read": scored + lost, "scored": scored, "quarantined": lost},
        "quarantined": {"share": lost / (scored + lost), "reasons": plan["quarantined"]},
        "notes": plan["notes"],
        "uncertain": {"below": below, "rows": uncertain, "share": uncertain / scored},
        **_labels(rows, plan["version"]["trained_on"]),
        "parts": files,
    }
    if scored != plan["rows"]:
        raise RuntimeError(f"{folder}: {scored:,} rows in the parts, {plan['rows']:,} in {PLAN}")
    records.write(record, folder / MANIFEST)


def _labels(rows: dict[str, int], trained_on: dict[str, int] | None) -> dict[str, Any]:
    """The share of each label, here and in training where that is known, and how far apart the two are."""
    scored, learned = sum(rows.values()), sum((trained_on or {}).values())
    shares = {label: (trained_on or {}).get(label, 0) / learned if learned else None for label in rows}
    labels = [
        {"label": label, "rows": count, "share": count / scored, "training_share": shares[label]}
        for label, count in rows.items()
    ]
    distance = float(jensenshannon(list(rows.values()), list(shares.values()), base=2)) if learned else None
    return {"labels": labels, "distance_to_training": {"measure": "Jensen-Shannon, base 2", "value": distance}}
