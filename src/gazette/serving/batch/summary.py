"""A manifest as a person reads it."""

from pathlib import Path
from typing import Any


def text(manifest: dict[str, Any], to: Path) -> str:
    """Rows, labels with their shares here and in training, and where the manifest is."""
    model, rows, uncertain = manifest["model"], manifest["rows"], manifest["uncertain"]
    name = f"{model['name']} version {model['version']}" if model["name"] else f"the bundle {model['digest']}"
    head = (
        f"{rows['scored']:,} of {rows['read']:,} rows labelled by {name}; {rows['quarantined']:,} in quarantine, "
        f"{uncertain['share']:.1%} uncertain (below {uncertain['below']:g})"
    )
    width = max(len(label["label"]) for label in manifest["labels"])
    lines = [
        f"  {label['label']:{width}} {label['rows']:>12,} {label['share']:7.1%}"
        + ("" if label["training_share"] is None else f"  (in training {label['training_share']:.1%})")
        for label in manifest["labels"]
    ]
    value = manifest["distance_to_training"]["value"]
    far = [] if value is None else [f"Jensen-Shannon distance of these shares from training's: {value:.3f}"]
    return "\n".join([head, *lines, *far, str(to / "manifest.json")])
