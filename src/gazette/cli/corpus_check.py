"""The commands that examine corpora and change nothing: diff and audit."""

import tempfile
from pathlib import Path

import click
from prefect_dvc.core.errors import ConfigError, parse

from gazette.cli import options, project
from gazette.core.escape import tally


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--rows", default=5, show_default=True, type=click.IntRange(0), help="Articles to show of each change.")
@options.as_json("Print the figures as one JSON object, without articles.")
def diff(before: str, after: str, rows: int, as_json: bool) -> None:
    """Compare two corpora, or two states of one.

    Each is NAME (its files here), NAME@REVISION, or REVISION. Shows articles that were added, removed, relabeled or
    moved to another split, class shares, lengths, and how both do against the corpus contract.

    \b
    Examples:
      gazette corpus diff HEAD~1 bbc_news
      gazette corpus diff bbc_news@v1 bbc_news@v2 --json
    """
    from gazette.cli import corpus_diff
    from gazette.core import normalization
    from gazette.data import diff as comparing
    from gazette.data import snapshots
    from gazette.data.validation import inspect
    from gazette.data.validation.bounds import Params

    bounds = parse(Params, project.params()["validate"], "params.yaml, section validate")
    with tempfile.TemporaryDirectory() as box:
        sides = []
        for number, name in enumerate((before, after)):
            description, raw = snapshots.find_snapshot(name, Path(box) / str(number))
            docs, parts = (Path(box) / name / str(number) for name in ("docs", "parts"))
            parts.mkdir(parents=True)
            sides.append(inspect.inspect_corpus(description, raw, bounds, docs, parts))
        old, new = (normalization.add_key(side.articles().collect()) for side in sides)
    figures = comparing.summarize_changes(old, new)
    figures["contract"] = {
        name: corpus_diff.list_breaches(side, bounds.model_dump())
        for name, side in zip((before, after), sides, strict=True)
    }
    if any(side.corrections for side in sides):
        figures["corrections"] = {name: side.corrections for name, side in zip((before, after), sides, strict=True)}
    if as_json:
        project.echo_json(figures, indent=None)
    else:
        corpus_diff.show_diff(before, after, figures, comparing.compare_articles(old, new), rows)


@click.command()
@click.argument("name", required=False)
@click.option("--to", type=options.PATH, help="The list.  [default: data/audit/NAME.csv]")
@click.option("--folds", default=5, show_default=True, type=click.IntRange(2), help="Folds of the cross-validation.")
@click.option("--model", default="linear", show_default=True, help="A section of `models` of the linear family.")
@options.as_json("Print the estimate per class as JSON.")
def audit(name: str | None, to: Path | None, folds: int, model: str, as_json: bool) -> None:
    """List articles of corpus NAME, by default the one in params.yaml, whose label is probably wrong.

    Confident learning (Northcutt, Jiang and Chuang, 2021) on cross-validated probabilities of the linear family. The
    list is a CSV, the most likely errors first, with an empty column `correct_label` for a person to fill in. No label
    is changed.

    \b
    Examples:
      gazette corpus audit
      gazette corpus audit ag_news --folds 10 --to suspects.csv
    """
    from gazette.cli import corpus_diff
    from gazette.core import articles
    from gazette.data import corrected, snapshots
    from gazette.evaluation.audit import audit as auditing
    from gazette.evaluation.audit import spreadsheet
    from gazette.pipeline import written
    from gazette.training.networks import learn

    numbers = project.params()
    name = name or str(numbers["corpus"])
    if numbers["models"].get(model, {}).get("family") != "linear":
        raise ConfigError(f"--model {model}: params.yaml has no section models.{model} with family linear")
    shared = parse(learn.Params, numbers["train"], "params.yaml, section train")
    to = to or Path("data/audit") / f"{name}.csv"
    written.check_replaceable(to)  # somebody may have filled in labels
    description, raw = snapshots.find_snapshot(name, Path())
    table, *_ = corrected.read_corrected(description, raw)
    table, _ = articles.split_invalid(table, description.labels)
    click.echo(f"{tally(table.height, 'article')}, {folds} folds: about a minute", err=True)
    suspects, estimate = auditing.audit_labels(table, numbers["models"][model], shared, folds)
    spreadsheet.write_spreadsheet(to, suspects)
    written.record(to)
    if as_json:
        project.echo_json(estimate.to_dicts(), indent=None)
    else:
        corpus_diff.show_estimate(estimate, suspects.height, to, name)
