"""The commands that look closely at a corpus and change nothing: diff and audit."""

import json
import tempfile
from pathlib import Path

import click

from gazette.cli import project
from gazette.core.errors import Misconfigured, parse


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--rows", default=5, show_default=True, type=click.IntRange(0), help="How many articles of each change.")
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object, without articles.")
def diff(before: str, after: str, rows: int, as_json: bool) -> None:
    """Compare two corpora, or two states of one: NAME (as it is here), NAME@REVISION, or REVISION.

    Shows articles added, gone, relabelled and moved to another split, class shares and lengths, and what the corpus
    contract says of both.

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

    bounds = parse(inspect.Params, project.params()["validate"], "params.yaml, section validate")
    with tempfile.TemporaryDirectory() as box:
        found = []
        for number, word in enumerate((before, after)):
            described, raw = snapshots.find(word, Path(box) / str(number))
            found.append(inspect.inspect(described, raw, bounds, Path(box) / "docs" / str(number)))
    one, other = (normalization.with_key(side.articles) for side in found)
    figures = comparing.figures(one, other)
    figures["contract"] = {word: corpus_diff.breaches(side) for word, side in zip((before, after), found, strict=True)}
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False))
    else:
        corpus_diff.show(before, after, figures, comparing.compare(one, other), rows)


@click.command()
@click.argument("name", required=False)
@click.option("--to", type=click.Path(path_type=Path), help="The list; data/audit/NAME.csv unless given.")
@click.option("--folds", default=5, show_default=True, type=click.IntRange(2), help="Parts of the cross-validation.")
@click.option("--model", default="linear", show_default=True, help="A section of models whose family is linear.")
@click.option("--json", "as_json", is_flag=True, help="The estimate per class as JSON.")
def audit(name: str | None, to: Path | None, folds: int, model: str, as_json: bool) -> None:
    """List articles of corpus NAME, or of the one in params.yaml, whose label is likely wrong; changes none.

    Confident learning (Northcutt, Jiang and Chuang, 2021) on probabilities of the linear family, cross-validated. The
    list is a CSV, the likeliest first, with an empty column `correct_label` for a person to fill in.

    \b
    Examples:
      gazette corpus audit
      gazette corpus audit ag_news --folds 10 --to suspects.csv
    """
    from gazette.cli import corpus_diff
    from gazette.core import articles
    from gazette.data import snapshots
    from gazette.data.readers import read
    from gazette.evaluation.audit import audit as auditing
    from gazette.evaluation.audit import spreadsheet

    numbers = project.params()
    name = name or str(numbers["corpus"])
    if numbers["models"].get(model, {}).get("family") != "linear":
        raise Misconfigured(f"--model {model}: params.yaml has no section models.{model} whose family is linear")
    described, raw = snapshots.find(name, Path())
    table, _, _ = read.read(described, raw)
    table, _ = articles.sort_out(table, described.labels)
    shared = {key: numbers["train"][key] for key in ("seed", "threads", "onednn")}
    click.echo(f"{table.height:,} articles, {folds} folds: a minute or so", err=True)
    suspects, estimate = auditing.audit(table, numbers["models"][model], folds=folds, **shared)
    to = to or Path("data/audit") / f"{name}.csv"
    spreadsheet.write(suspects, to)
    if as_json:
        click.echo(json.dumps(estimate.to_dicts(), ensure_ascii=False))
    else:
        corpus_diff.show_estimate(estimate, suspects.height, to)
