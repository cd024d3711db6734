"""The commands about where a model comes from."""

import json
from pathlib import Path

import click

from gazette.core import atomic


@click.command()
@click.argument("asked", metavar="VERSION|DIGEST|FILE|COMMIT")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with the hash of every raw file.")
def lineage(asked: str, as_json: bool) -> None:
    """Show what made a model and what became of it, or which models saw a file.

    A version is NAME/NUMBER or NAME@ALIAS; a commit stands for the model that its dvc.lock names. Links that hold less
    than others (a dirty tree, no remote, an override) and what is not known are said.

    \b
    Examples:
      gazette lineage bbc_news@champion
      gazette lineage HEAD --json
      gazette lineage data/raw/bbc_news/business/001.txt
    """
    from gazette.cli.corpus_view import console
    from gazette.lineage import sightings, tree
    from gazette.lineage import trace as tracing

    found = tracing.trace(asked) if tracing.is_model(asked) else sightings.of_file(asked)
    if as_json:
        click.echo(json.dumps(found.record(), indent=2, ensure_ascii=False))
    else:
        shown = tree.of_model(found) if isinstance(found, tracing.Model) else tree.of_file(found)
        console().print(shown)


@click.command()
@click.argument("before")
@click.argument("after", required=False)
@click.option("--rows", default=10, show_default=True, type=click.IntRange(0), help="Lines shown of each kind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with up to a hundred articles of each kind.")
def diff(before: str, after: str | None, rows: int, as_json: bool) -> None:
    """Show what two revisions or versions differ in; without AFTER, BEFORE and the tree here.

    Data, params, code, packages, stages, metrics with a paired test on the test articles that both were judged on, and
    articles that are now called otherwise.

    \b
    Examples:
      gazette diff HEAD~1
      gazette diff bbc_news@champion bbc_news@challenger
      gazette diff v1 v2 --json
    """
    from gazette.cli.corpus_view import console
    from gazette.evaluation.diff import terminal
    from gazette.evaluation.diff.difference import difference

    found = difference(before, after)
    if as_json:
        click.echo(json.dumps(found.record(), indent=2, ensure_ascii=False))
    else:
        terminal.show(found, console(), rows)


@click.command()
@click.argument("version")
@click.option("--to", type=click.Path(path_type=Path), help="A file; without it, the card is printed.")
def card(version: str, to: Path | None) -> None:
    """Write the model card of a version, a digest or a commit, in Markdown, of nothing but what was recorded.

    \b
    Examples:
      gazette card bbc_news@champion
      gazette card HEAD --to MODEL_CARD.md
    """
    from gazette.lineage import card
    from gazette.lineage.trace import trace

    text = card.write(trace(version))
    if to is None:
        click.echo(text, nl=False)
        return
    atomic.write(text, to)
    click.echo(to)
