"""The report: what the stages left, as one HTML page that stands alone and asks nothing of the network."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gazette.core import atomic, corpus, languages
from gazette.core import files as records
from gazette.core.errors import Misconfigured
from gazette.evaluation.report import charts, rows

_HERE = Path(__file__).parent

SPLITS = ["train", "valid", "test"]
NAMES = dict.fromkeys(("actual", "predicted", "slice", "value"), pl.String)  # a class may be called 1


def write(paths: dict[str, dict[str, str]], params: dict[str, Any]) -> Path:
    """Writes the page beside the metrics, whole or not at all, and returns its path; `paths` by stage and option.

    Stages that have not run are told as such. Raises Misconfigured where not even `validate` has.
    """
    page = Path(paths["evaluate"]["metrics"]).with_name("report.html")
    atomic.write(render(gather(paths, params)), page)
    return page


def gather(paths: dict[str, dict[str, str]], params: dict[str, Any]) -> dict[str, Any]:
    """All that the page tells, by name; None or empty where the stage has not run."""
    validation = _record(paths["validate"]["report"])
    if validation is None:
        raise Misconfigured(f"no {paths['validate']['report']}: `gazette run` makes what the report tells")
    described = corpus.describe(Path(paths["validate"]["description"]))
    preprocessing = _record(paths["preprocess"]["report"])
    metrics = _record(paths["evaluate"]["metrics"])
    confusion = rows.shares(_table(paths["evaluate"]["confusion"]))
    trained = {stage.partition("@")[2]: files for stage, files in paths.items() if "score" in files}
    scores = {name: score for name, files in trained.items() if (score := _record(files["score"]))}
    selected = (_record(paths["select"]["selection"]) or {}).get("selected")
    judged, asked = paths["evaluate"], params["evaluate"]
    return {
        "name": params["corpus"],
        "described": described,
        "language": languages.NAMES[described.language],
        "validation": validation,
        "expectations": rows.expectations(validation, params["validate"]["max_quarantined"]),
        "files": rows.files(validation["files"]),
        "rejects": _table(paths["validate"]["quarantine"], 10),
        "examples": _table(paths["validate"]["examples"]),
        "conflicts": rows.conflicting(_table(paths["preprocess"]["quarantine"], 10)),
        "left_out": rows.left_out(validation["quarantine"], (preprocessing or {}).get("left_out", {})),
        "splits": SPLITS,
        "classes": rows.classes(described.labels, {split: _labels(paths["preprocess"][split]) for split in SPLITS}),
        "candidates": rows.candidates(scores, params["models"], selected),
        "curves": [row for name in scores for row in rows.curve(name, _table(trained[name]["curve"]))],
        "selected": selected,
        "numbers": params["models"].get(selected, {}),
        "metrics": metrics,
        "judged": [{"label": label, **figures} for label, figures in (metrics or {}).get("classes", {}).items()],
        "confidence": asked["confidence"],
        "least": asked["min_slice_rows"],
        "confusion": confusion,
        "wrong": rows.mixed_up(confusion),
        "slices": rows.bounded(_table(judged["slices"]), asked["confidence"]),
        "calibration": _table(judged["calibration"]),
        "read_mistakes": Path(judged["mistakes"]).exists(),
        "mistakes": [rows.mistake(row) for row in _table(judged["mistakes"])],
        "version": _record(paths["register"]["version"]),
        "receipt": _record(paths["register"]["receipt"]),
    }


def figures(told: dict[str, Any]) -> dict[str, charts.Spec]:
    """The charts for which there are rows, by name."""
    labels = [rows.visible(label) for label in told["described"].labels]
    counts = [
        {"label": row["label"], "split": split, "rows": row[split]} for row in told["classes"] for split in SPLITS
    ]
    names = [row["name"] for row in told["candidates"]]
    drawn = {}
    if any(row["all"] for row in told["classes"]):
        drawn["classes"] = charts.classes(rows.shown(counts), labels, SPLITS)
    if told["curves"]:
        drawn["loss"] = charts.curve(told["curves"], names, "loss")
        drawn["accuracy"] = charts.curve(told["curves"], names, "accuracy")
    if told["metrics"]:
        overall = told["metrics"]["interval"]["accuracy"] | {"accuracy": told["metrics"]["accuracy"]}
        drawn["confusion"] = charts.confusion(rows.shown(told["confusion"]), labels)
        drawn["calibration"] = charts.calibration(told["calibration"])
        if told["slices"]:
            drawn["slices"] = charts.slices(rows.shown(told["slices"]), overall)
    return drawn


def render(told: dict[str, Any]) -> str:
    """The page. Its policy names its one script by hash: no other script can run, and no request can leave."""
    script = _script()
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        finalize=lambda value: rows.visible(value) if type(value) is str else value,  # Markup passes as it is
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": "{:,}".format, "percent": lambda share: f"{100 * share:.1f}\u00a0%"}
    return environment.get_template("page.html.j2").render(
        told,
        charts=figures(told),
        style=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
        script=Markup(script),
        hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


@cache
def _script() -> str:
    """Vega's libraries and our few lines; bundling takes a second."""
    bundle = vl_convert.javascript_bundle((_HERE / "draw.js").read_text(encoding="utf-8"))
    return bundle.replace("</script", r"<\/script")


def _record(path: str) -> dict[str, Any] | None:
    return records.read(Path(path)) if Path(path).exists() else None


def _table(path: str, limit: int | None = None) -> rows.Rows:
    if not Path(path).exists():
        return []
    if path.endswith(".csv"):
        return pl.read_csv(path, schema_overrides=NAMES).to_dicts()
    return pl.read_parquet(path, n_rows=limit).to_dicts()


def _labels(path: str) -> dict[str, int]:
    """Rows of each class; no article is read."""
    if not Path(path).exists():
        return {}
    return dict(pl.scan_parquet(path).group_by("label").len().sort("label").collect().iter_rows())
