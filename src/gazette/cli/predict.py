"""The commands that ask a classifier."""

import json
from pathlib import Path

import click

from gazette.cli import project
from gazette.core.errors import Misconfigured


@click.command()
@click.argument("texts", nargs=-1)
@click.option(
    "--file",
    "source",
    type=click.Path(path_type=Path, allow_dash=True),
    help="CSV, TSV, JSON lines or Parquet with a column `text`, or plain lines; - for standard input.",
)
@click.option("--bundle", type=click.Path(path_type=Path), help="Another bundle than the selected one.")
@click.option("--top", default=1, show_default=True, type=click.IntRange(1), help="How many labels to show.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per text.")
def predict(texts: tuple[str, ...], source: Path | None, bundle: Path | None, top: int, as_json: bool) -> None:
    """Label TEXTS with the selected classifier.

    \b
    Examples:
      gazette predict "Shares fell after the bank cut its forecast."
      gazette predict --file articles.csv --top 2 --json
      cat headlines.txt | gazette predict --file -
    """
    from gazette.core.bundle import Bundle
    from gazette.pipeline import cmdline

    given = list(texts)
    if source is not None:
        from gazette.serving import sources

        given += sources.texts(source)
    if not given:
        raise click.UsageError("no text: give TEXTS or --file")
    folder = bundle or Path(cmdline.paths(project.params())["select"]["bundle"])
    if not folder.exists():
        raise Misconfigured(f"no bundle at {folder}: `gazette run` makes it")
    classifier = Bundle(folder)
    for text, row in zip(given, classifier.probabilities(given), strict=True):
        best = [(classifier.labels[place], float(row[place])) for place in (-row).argsort(kind="stable")[:top]]
        if as_json:
            click.echo(
                json.dumps(
                    {"text": text, "labels": [{"label": label, "probability": round(p, 6)} for label, p in best]},
                    ensure_ascii=False,
                )
            )
        else:
            click.echo("  ".join(f"{label} {p:.3f}" for label, p in best))
