"""A model card in Markdown (M. Mitchell et al., "Model Cards for Model Reporting", 2019), from what was recorded.

Nothing in it is typed by hand: source and terms come from the corpus's description, and missing records are named.
"""

import csv
import io
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from prefect_dvc import flatten

from gazette.data.languages import display_name
from gazette.evaluation.diff import changes
from gazette.evaluation.markdown import escape_cell
from gazette.lineage.trace import ModelLineage
from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import DvcLock
from gazette.registry.store.model import read_object

WORST_SLICES = 5
CANDIDATE_STAGES = ("train", "fine_tune", "linear_probe", "distill")
PACKAGES = ("keras", "tensorflow", "numpy", "scipy", "onnx", "tf2onnx", "tokenizers", "polars")  # that are listed


def render_card(model: ModelLineage) -> str:
    """Render the card of a model; the same records give the same text."""
    lock = dvclock.load(model.revisions[0]) if model.revisions else DvcLock(None, {})
    page = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=False,  # Markdown; the filter `cell` escapes text of a corpus
    )  # fmt: skip
    page.filters["cell"] = escape_cell
    return page.get_template("card.md.j2").render(gather_card(model, lock))


def gather_card(model: ModelLineage, lock: DvcLock) -> dict[str, Any]:
    """Return the content of the card by name; empty if it was not recorded."""
    selected = lock.record("select", "selection").get("selected")
    description = lock.yaml(lock.option("validate", "description") or "")
    stages = candidate_stages(model)
    train = model.stages.get(stages.get(str(selected), ""), {})
    return {
        "model": model,
        "name": ", ".join(f"{version['name']}/{version['number']}" for version in model.versions) or model.digest,
        "selected": selected,
        "params": flatten.flatten(train.get("params", {})),
        "description": description,
        "language": display_name(description.get("language", "")) or "not recorded",
        "metrics": changes.committed_metrics(lock),
        "classes": lock.record("evaluate", "metrics").get("classes", {}),
        "slices": _worst_slices(lock),
        "splits": lock.record("preprocess", "report"),
        "corpus": lock.record("validate", "report").get("corpus", {}),
        "candidates": {candidate: lock.record(name, "score") for candidate, name in stages.items()},
        "confidence": model.stages.get("evaluate", {}).get("params", {}).get("evaluate", {}).get("confidence"),
        "machines": [
            (version, read_object(f"{version['name']}/{version['number']}", version["tags"], "machine"))
            for version in model.versions
            if "machine" in version["tags"]
        ],
        "packages": {name: pin for name, pin in train.get("packages", {}).items() if name in PACKAGES},
    }


def candidate_stages(model: ModelLineage) -> dict[str, str]:
    """Return the stage that made each candidate, by the candidate's name."""
    return {name.partition("@")[2]: name for name in model.stages if name.partition("@")[0] in CANDIDATE_STAGES}


def read_slices(lock: DvcLock) -> list[dict[str, str]]:
    """Return the slices of the test articles with their accuracy, without classes, which metrics list separately."""
    path = lock.option("evaluate", "slices")
    text = lock.text(path) if path else None
    return [row for row in csv.DictReader(io.StringIO(text or "")) if row["slice"] != "class"]


def _worst_slices(lock: DvcLock) -> list[dict[str, str]]:
    """Return the slices with the lowest accuracy."""
    slices = read_slices(lock)
    return sorted(slices, key=lambda row: (float(row["accuracy"]), row["slice"], row["value"]))[:WORST_SLICES]
