"""The command that labels texts."""

from pathlib import Path

import click
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.core.escape import escape

from gazette.cli import options, project


@click.command()
@click.argument("texts", nargs=-1, callback=options.check_text)
@click.option(
    "--file",
    "source",
    type=click.Path(path_type=Path, allow_dash=True),
    help="CSV, TSV, JSON or Parquet with a column `text`, or plain lines; - for standard input: JSON or plain lines.",
)
@options.encoding()
@options.delimiter()
@click.option("--bundle", type=options.PATH, help="Folder of a bundle.  [default: the selected one]")
@click.option("--top", default=1, show_default=True, type=click.IntRange(1), help="How many labels to print.")
@options.as_json("Print one JSON object per text.")
def predict(
    texts: tuple[str, ...],
    source: Path | None,
    encoding: str | None,
    delimiter: str | None,
    bundle: Path | None,
    top: int,
    as_json: bool,
) -> None:
    """Label TEXTS with the selected classifier.

    \b
    Examples:
      gazette predict "Shares fell after the bank cut its forecast."
      gazette predict --file articles.csv --top 2 --json
      cat headlines.txt | gazette predict --file -
    """
    from gazette.core.bundle import Bundle

    if not texts and source is None:
        raise click.UsageError("no text: pass TEXTS or --file")
    if source is not None and str(source) != "-" and not source.exists():
        raise ConfigError(f"{source}: no such file")
    classifier = Bundle(project.bundle_folder(bundle))
    inputs = list(texts)
    if source is not None:
        from gazette.data.coding import Hints
        from gazette.serving import sources

        inputs += sources.read_texts(source, Hints(classifier.language, encoding, delimiter))
    if not inputs:
        raise click.UsageError(f"no text: --file {source} is empty")
    for text, row in zip(inputs, classifier.probabilities(inputs), strict=True):
        best = [(classifier.labels[index], float(row[index])) for index in (-row).argsort(kind="stable")[:top]]
        if as_json:
            labels = [{"label": label, "probability": round(p, 6)} for label, p in best]
            project.echo_json({"text": text, "labels": labels}, indent=None)
        else:
            click.echo("  ".join(f"{escape(label)} {p:.3f}" for label, p in best))
