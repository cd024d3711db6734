"""The manifest of a scoring: its input, its model, its labels, and how they differ from the training rows'."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from prefect_dvc import hashing

from gazette.core import files, tables
from gazette.serving.batch.parts import BUNDLE, MANIFEST, PART, PLAN, STAGED


def write_manifest(folder: Path, plan: dict[str, Any]) -> None:
    """Write the manifest from the parts; nothing in it depends on the machine or the time."""
    labels = files.read_json(folder / STAGED / BUNDLE / "bundle.json")["labels"]
    below, uncertain = plan["options"]["uncertain"], 0
    rows = dict.fromkeys(labels, 0)
    parts: list[dict[str, Any]] = []
    for number in range(plan["parts"]):
        path = folder / PART.format(number)
        part = tables.read_parquet(path, columns=["label", "probability"])
        for label, count in part.group_by("label").len().iter_rows():
            rows[label] += count
        uncertain += part.filter((pl.col("probability") < below) | pl.col("probability").is_nan()).height
        parts.append({"file": path.name, "rows": part.height, "sha256": hashing.hash_file(path)})
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
        "parts": parts,
    }
    if scored != plan["rows"]:
        raise RuntimeError(f"{folder}: {scored:,} rows in the parts, {plan['rows']:,} in {PLAN}")
    files.write_json(folder / MANIFEST, record)


def _labels(rows: dict[str, int], trained_on: dict[str, int] | None) -> dict[str, Any]:
    """Return the share of each label, here and in training if known, and the distance of the two distributions."""
    scored, trained = sum(rows.values()), sum((trained_on or {}).values())
    shares = {label: (trained_on or {}).get(label, 0) / trained if trained else None for label in rows}
    labels = [
        {"label": label, "rows": count, "share": count / scored, "training_share": shares[label]}
        for label, count in rows.items()
    ]
    distance = _jensen_shannon([label["share"] for label in labels], shares.values()) if trained else None
    return {"labels": labels, "distance_to_training": {"measure": "Jensen-Shannon, base 2", "value": distance}}


def _jensen_shannon(*distributions: Iterable[Any]) -> float:
    """Return the distance of two distributions, base 2, as scipy.spatial.distance does; SciPy alone has 110 MB."""
    rows = [np.array(list(shares)) for shares in distributions]
    mean = np.mean(rows, axis=0)
    divergences = [(row[row > 0] * np.log2(row[row > 0] / mean[row > 0])).sum() for row in rows]
    return float(np.sqrt(np.mean(divergences).clip(0)))
