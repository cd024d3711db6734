"""The manifest of a scoring run on a terminal."""

from pathlib import Path
from typing import Any

from prefect_dvc.core.escape import escape

from gazette.core.escape import tally


def summarize_manifest(manifest: dict[str, Any], to: Path) -> str:
    """Return rows, labels with their shares here and in training, oddities, and the path of the manifest."""
    model, rows, uncertain = manifest["model"], manifest["rows"], manifest["uncertain"]
    name = f"{model['name']} version {model['version']}" if model["name"] else f"the bundle {model['digest']}"
    head = (
        f"{rows['scored']:,} of {tally(rows['read'], 'row')} labeled by {name}; {rows['quarantined']:,} in quarantine, "
        f"{uncertain['share']:.1%} uncertain (below {uncertain['below']:g})"
    )
    width = max(len(escape(label["label"])) for label in manifest["labels"])
    lines = [
        f"  {escape(label['label']):{width}} {label['rows']:>12,} {label['share']:7.1%}"
        + ("" if label["training_share"] is None else f"  (in training {label['training_share']:.1%})")
        for label in manifest["labels"]
    ]
    distance = manifest["distance_to_training"]["value"]
    drift = [] if distance is None else [f"Jensen-Shannon distance of these shares from training: {distance:.3f}"]
    notes = [f"{note}: {count:,}" for note, count in manifest["notes"].items()]
    return "\n".join([head, *lines, *drift, *notes, str(to / "manifest.json")])
