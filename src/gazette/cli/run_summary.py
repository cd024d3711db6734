"""The summary of `gazette run`: stages, metrics with intervals, the version, and what to do next."""

from pathlib import Path

from gazette.cli import tables
from gazette.core import files

NEXT = """\
Next, after `source .venv/bin/activate`:
  gazette predict "…"   label a text
  dvc metrics diff      compare the metrics with the last commit
  make ui               look at the registry"""


def show_summary(states: dict[str, str], paths: dict[str, dict[str, str]], page: Path, changed: list[str]) -> None:
    """Print the summary.

    `states` and `paths` are by stage, `page` is the report, `changed` are the outputs that differ from the last commit.
    """
    metrics = files.read_json(Path(paths["evaluate"]["metrics"]))
    figures = [
        {"metric": title, "value": f"{metrics[name]:.4f}", "interval": "{low:.4f} to {high:.4f}".format(**interval)}
        for name, title in {"accuracy": "accuracy", "macro_f1": "macro-F1"}.items()
        for interval in [metrics["interval"][name]]
    ]
    figures.append({"metric": "ECE", "value": f"{metrics['ece']:.4f}", "interval": ""})
    version = files.read_json(Path(paths["register"]["version"]))
    selected = files.read_json(Path(paths["select"]["selection"]))["selected"]
    tables.show(
        "",
        tables.build_table({"stage": name, "state": state} for name, state in states.items()),
        "",
        tables.build_table(figures),
        "",
        f"{selected} is {version['name']} version {version['version']} in the registry; the report is {page}",
        *([f"different from the last commit: {', '.join(changed)}"] if changed else []),
        "",
        NEXT,
    )
