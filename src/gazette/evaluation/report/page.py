"""The report: the outputs of the stages as one self-contained HTML page that makes no request."""

from pathlib import Path
from typing import Any

import polars as pl
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError, parse

from gazette.core import corpus, files, tables
from gazette.data import overlay
from gazette.data.languages import display_name
from gazette.data.validation.bounds import Params
from gazette.data.validation.breaches import explain_breaches
from gazette.data.validation.checks import describe_kind
from gazette.evaluation.report import charts, freshness, over_time, render, rows
from gazette.evaluation.report.reasons import reasons_of
from gazette.pipeline import written

_HERE = Path(__file__).parent

TITLE = " · Gazette</title>".encode()

SPLITS = ["train", "valid", "test"]
LABEL_COLUMNS = dict.fromkeys(("actual", "predicted", "slice", "value"), pl.String)  # a class may be called 1


def write_report(paths: dict[str, dict[str, str]], params: dict[str, Any]) -> Path:
    """Write the page beside the metrics and return its path; `paths` are by stage and option.

    The page says which stages have not run. Raises ConfigError if `validate` has not.
    """
    path = freshness.report_path(paths)
    written.check_replaceable(path, lambda content: TITLE in content)
    atomic.write_text(path, render_page(gather_facts(paths, params)))
    return path


def gather_facts(paths: dict[str, dict[str, str]], params: dict[str, Any]) -> dict[str, Any]:
    """Return everything on the page by name; a fact is None or empty if its stage has not run."""
    validation = _record(paths["validate"]["report"])
    if validation is None:
        raise ConfigError(f"no {paths['validate']['report']}: `gazette run` makes what the report shows")
    description = corpus.read_description(Path(paths["validate"]["description"]))
    rejects, examples = (_frame(paths["validate"][name]) for name in ("quarantine", "examples"))
    bounds = parse(Params, params["validate"], "params.yaml, section validate")
    breaches = explain_breaches(validation, rejects, examples, bounds.model_dump())
    preprocessing = _record(paths["preprocess"]["report"])
    metrics = _record(paths["evaluate"]["metrics"])
    confusion = rows.add_shares(_table(paths["evaluate"]["confusion"]))
    trained = {stage.partition("@")[2]: outputs for stage, outputs in paths.items() if "score" in outputs}
    scores = {name: score for name, outputs in trained.items() if (score := _record(outputs["score"]))}
    selected = (_record(paths["select"]["selection"]) or {}).get("selected")
    evaluated, numbers = paths["evaluate"], params["evaluate"]
    splits = {split: _count_labels(paths["preprocess"][split]) for split in SPLITS}
    return {
        "name": params["corpus"],
        "description": description,
        "language": display_name(description.language),
        "validation": validation,
        "expectations": rows.expectation_rows(validation, bounds.max_quarantined, breaches),
        "files": rows.file_rows(validation["files"]),
        "rejects": rejects.head(10).to_dicts(),
        "examples": examples.to_dicts(),
        "conflicts": rows.conflict_rows(_table(paths["preprocess"]["quarantine"], 10)),
        "dropped": rows.dropped_rows(validation["quarantine"], (preprocessing or {}).get("left_out", {})),
        "splits": SPLITS,
        "classes": rows.class_rows(description.labels, splits),
        "volume": over_time.count_periods([paths["preprocess"][split] for split in SPLITS]),
        "time": (preprocessing or {}).get("time", {}),
        "periods": over_time.period_rows(metrics),
        "candidates": rows.candidate_rows(scores, params["models"], selected),
        "curves": [row for name in scores for row in rows.curve_rows(name, _table(trained[name]["curve"]))],
        "selected": selected,
        "model_params": params["models"].get(selected, {}),
        "metrics": metrics,
        "class_metrics": [{"label": label, **row} for label, row in (metrics or {}).get("classes", {}).items()],
        "confidence": numbers["confidence"],
        "min_slice_rows": numbers["min_slice_rows"],
        "confusion": confusion,
        "errors": rows.list_errors(confusion),
        "slices": rows.add_intervals(_table(evaluated["slices"]), numbers["confidence"]),
        "calibration": _table(evaluated["calibration"]),
        "has_mistakes": Path(evaluated["mistakes"]).exists(),
        "corrections": overlay.describe(validation.get("corrections", {})),
        "mistakes": list_mistakes(_table(evaluated["mistakes"]), Path(evaluated["bundle"])),
        "version": _record(paths["register"]["version"]),
        "receipt": _record(paths["register"]["receipt"]),
    }


def list_mistakes(mistakes: rows.Rows, bundle: Path) -> rows.Rows:
    """Return the mistakes as articles, the first ones with the words that explain them, if the bundle is here."""
    reasons = reasons_of(mistakes, bundle) if mistakes and (bundle / "model.onnx").exists() else []
    rest = len(mistakes) - len(reasons)
    return [rows.split_article(row) | why for row, why in zip(mistakes, [*reasons, *[{}] * rest], strict=True)]


def build_charts(facts: dict[str, Any]) -> dict[str, charts.Spec]:
    """Return the charts for which there are rows, by name."""
    labels = [rows.escape_hidden(label) for label in facts["description"].labels]
    counts = [
        {"label": row["label"], "split": split, "rows": row[split]} for row in facts["classes"] for split in SPLITS
    ]
    names = [row["name"] for row in facts["candidates"]]
    specs = {}
    if any(row["all"] for row in facts["classes"]):
        specs["classes"] = charts.class_chart(rows.escape_rows(counts), labels, SPLITS)
    if facts["volume"]:
        specs["volume"] = over_time.volume_chart(rows.escape_rows(facts["volume"]))
    if facts["curves"]:
        specs["loss"] = charts.curve_chart(facts["curves"], names, "loss")
        specs["accuracy"] = charts.curve_chart(facts["curves"], names, "accuracy")
    if facts["metrics"]:
        overall = facts["metrics"]["interval"]["accuracy"] | {"accuracy": facts["metrics"]["accuracy"]}
        specs["confusion"] = charts.confusion_chart(rows.escape_rows(facts["confusion"]), labels)
        specs["calibration"] = charts.calibration_chart(facts["calibration"])
        if facts["periods"]:
            specs["periods"] = over_time.accuracy_chart(facts["periods"], overall)
        if facts["slices"]:
            specs["slices"] = charts.slice_chart(rows.escape_rows(facts["slices"]), overall)
    return specs


def render_page(facts: dict[str, Any]) -> str:
    """Render the page."""
    return render.render(_HERE, "page.html.j2", facts, build_charts(facts), {"kind": describe_kind})


def _record(path: str) -> dict[str, Any] | None:
    return files.read_json(Path(path)) if Path(path).exists() else None


def _table(path: str, limit: int | None = None) -> rows.Rows:
    if not Path(path).exists():
        return []
    if path.endswith(".csv"):
        return tables.read_csv(path, schema_overrides=LABEL_COLUMNS).to_dicts()
    return tables.read_parquet(path, n_rows=limit).to_dicts()


def _frame(path: str) -> pl.DataFrame:
    """Return a table of places, without rows if there is no file."""
    if Path(path).exists():
        return tables.read_parquet(path)
    return pl.DataFrame(
        schema=dict.fromkeys(("kind", "split", "file", "reason", "seen"), pl.String) | {"line": pl.Int64}
    )


def _count_labels(path: str) -> dict[str, int]:
    if not Path(path).exists():
        return {}
    return dict(tables.scan_parquet(path).group_by("label").len().sort("label").collect().iter_rows())
