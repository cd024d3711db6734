"""What `gazette run` says at its end: stages, metrics with intervals, the version, the lines to type next."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from gazette.core import files

NEXT = """\
Next, after `source .venv/bin/activate`:
  gazette predict "…"   label a text
  dvc metrics diff      see what changed against the last commit
  make ui               look at the registry"""


def show(states: dict[str, str], paths: dict[str, dict[str, str]], page: Path, changed: list[str]) -> None:
    """Prints the summary: `states` and `paths` by stage, the report's page, outputs that the last commit has not."""
    console = Console(highlight=False)
    stages = Table("stage", "state", box=None, header_style="bold")
    for name, state in states.items():
        stages.add_row(name, state)
    metrics = files.read(Path(paths["evaluate"]["metrics"]))
    figures = Table("metric", "value", "interval", box=None, header_style="bold")
    for name, label in {"accuracy": "accuracy", "macro_f1": "macro-F1"}.items():
        ends = metrics["interval"][name]
        figures.add_row(label, f"{metrics[name]:.4f}", f"{ends['low']:.4f} to {ends['high']:.4f}")
    figures.add_row("ECE", f"{metrics['ece']:.4f}", "")
    version = files.read(Path(paths["register"]["version"]))
    selected = files.read(Path(paths["select"]["selection"]))["selected"]
    console.print("", stages, "", figures, "", sep="\n")
    said = f"{selected} is {version['name']} version {version['version']} in the registry; the report is {page}"
    if changed:
        said += f"\nother than in the last commit: {', '.join(changed)}"
    console.print(said, "", NEXT, sep="\n", soft_wrap=True)
