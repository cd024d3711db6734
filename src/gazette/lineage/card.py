"""A model card in Markdown (M. Mitchell et al., "Model Cards for Model Reporting", 2019), of what was recorded.

Nothing in it is typed by hand: source and terms are those of the corpus's description; what was not recorded is said.
"""

import csv
import io
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gazette.evaluation.diff import changes
from gazette.evaluation.markdown import cell
from gazette.lineage.trace import Model
from gazette.pipeline import dvclock, flatten
from gazette.pipeline.dvclock import State

LANGUAGES = {"en": "English", "zh": "Chinese"}
WORST = 5  # slices
MAKERS = ("train", "fine_tune", "head", "distil")  # stages that end with a candidate
LEARNERS = ("keras", "tensorflow", "numpy", "scipy", "onnx", "tf2onnx", "tokenizers", "polars")


def write(model: Model) -> str:
    """The card of a model: the same text for the same records."""
    state = dvclock.at(model.revisions[0]) if model.revisions else State(None, {})
    page = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=False,  # Markdown; `cell` makes words of a corpus inert
    )  # fmt: skip
    page.filters["cell"] = cell
    return page.get_template("card.md.j2").render(gather(model, state))


def gather(model: Model, state: State) -> dict[str, Any]:
    """All that the card tells, by name; empty where it was not recorded."""
    selected = state.record("select", "selection").get("selected")
    description = state.yaml(state.option("validate", "description") or "")
    made = {name.partition("@")[2]: name for name in model.stages if name.partition("@")[0] in MAKERS}
    train = model.stages.get(made.get(str(selected), ""), {})
    return {
        "model": model,
        "name": ", ".join(f"{one['name']}/{one['number']}" for one in model.versions) or model.digest,
        "selected": selected,
        "params": flatten.leaves(train.get("params", {})),
        "description": description,
        "language": LANGUAGES.get(description.get("language", ""), "not recorded"),
        "metrics": changes.committed(state),
        "classes": state.record("evaluate", "metrics").get("classes", {}),
        "slices": _worst(state),
        "splits": state.record("preprocess", "report"),
        "corpus": state.record("validate", "report").get("corpus", {}),
        "candidates": {candidate: state.record(name, "score") for candidate, name in made.items()},
        "confidence": model.stages.get("evaluate", {}).get("params", {}).get("evaluate", {}).get("confidence"),
        "machine": [(one, json.loads(one["tags"]["machine"])) for one in model.versions if "machine" in one["tags"]],
        "packages": {name: held for name, held in train.get("packages", {}).items() if name in LEARNERS},
    }


def _worst(state: State) -> list[dict[str, str]]:
    """The slices with the lowest accuracy, classes aside, which the card lists anyway."""
    path = state.option("evaluate", "slices")
    text = state.text(path) if path else None
    found = [row for row in csv.DictReader(io.StringIO(text or "")) if row["slice"] != "class"]
    return sorted(found, key=lambda row: (float(row["accuracy"]), row["slice"], row["value"]))[:WORST]
