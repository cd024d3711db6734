"""What `gazette run` says at its end: stages, metrics with intervals, the version, the lines to type next."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from gazette import records

NEXT = """\
gazette predict "…"         label a text with it
gazette report              write the report again
make ui                     look at the registry
dvc metrics diff            what changed against the last commit"""


def show(states: dict[str, str], paths: dict[str, dict[str, str]]) -> None:
    """Prints the summary; `states` and `paths` by stage."""
    console = Console(highlight=False)
    stages = Table("stage", "state", box=None, header_style="bold")
    for name, state in states.items():
        stages.add_row(name, state)
    metrics = records.read(Path(paths["evaluate"]["metrics"]))
    figures = Table("metric", "value", "interval", box=None, header_style="bold")
    for name, label in {"accuracy": "accuracy", "macro_f1": "macro-F1"}.items():
        ends = metrics["interval"][name]
        figures.add_row(label, f"{metrics[name]:.4f}", f"{ends['low']:.4f} to {ends['high']:.4f}")
    figures.add_row("ECE", f"{metrics['ece']:.4f}", "")
    version = records.read(Path(paths["register"]["version"]))
    selected = records.read(Path(paths["select"]["selection"]))["selected"]
    for part in ("", stages, "", figures, "", f"{selected} is {version['name']} version {version['version']} in the registry", "", NEXT):
        console.print(part)
