"""The commands about where a model comes from, and what two models differ in."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gazette.cli import options, project

if TYPE_CHECKING:
    from gazette.lineage.trace import ModelLineage


@click.command(cls=project.RootCommand)
@click.argument("name", metavar="VERSION|DIGEST|FILE|COMMIT")
@options.as_json("Print one JSON object, with the hash of every raw file.")
def lineage(name: str, as_json: bool) -> None:
    """Show what made a model and what became of it, or which models saw a file.

    A version is NAME/NUMBER or NAME@ALIAS; a commit stands for the model in its dvc.lock. Steps that cannot be fully
    verified (a dirty tree, no remote, an override) are listed as weak links.

    \b
    Examples:
      gazette lineage bbc_news@champion
      gazette lineage HEAD --json
      gazette lineage data/raw/bbc_news/business/001.txt
    """
    from gazette.cli import lineage_view, tables
    from gazette.lineage import sightings, trace

    if not name:
        raise click.UsageError("the name of the model or file is empty")
    result = trace.trace(name) if trace.is_model(name) else sightings.trace_file(name)
    if as_json:
        project.echo_json(asdict(result))
    elif isinstance(result, trace.ModelLineage):
        tables.show(lineage_view.model_tree(result))
    else:
        tables.show(lineage_view.file_tree(result))


@click.command(cls=project.RootCommand)
@click.argument("before")
@click.argument("after", required=False)
@click.option("--rows", default=10, show_default=True, type=click.IntRange(0), help="Rows to show of each kind.")
@options.as_json("Print one JSON object, with up to a hundred articles of each kind.")
def diff(before: str, after: str | None, rows: int, as_json: bool) -> None:
    """Compare two revisions or versions, or one with the working tree.

    Compares data, params, code, packages, stages, metrics (with a paired test on the test articles that both predicted)
    and lists articles whose prediction flipped.

    \b
    Examples:
      gazette diff HEAD~1
      gazette diff bbc_news@champion bbc_news@challenger
      gazette diff v1 v2 --json
    """
    from gazette.cli import diff_view
    from gazette.evaluation.diff.difference import diff_revisions

    result = diff_revisions(before, after)
    if as_json:
        project.echo_json(asdict(result))
    else:
        diff_view.show_diff(result, rows)


@click.command(cls=project.RootCommand)
@click.argument("version")
@click.option(
    "--format",
    "form",
    default="markdown",
    show_default=True,
    type=click.Choice(["markdown", "cyclonedx", "spdx"]),
    help="A card to read, or a bill of materials: CycloneDX 1.7, or SPDX 3.0.1 with the AI profile.",
)
@click.option("--to", type=options.PATH, help="A file.  [default: standard output]")
def card(version: str, form: str, to: Path | None) -> None:
    """Write the model card of a version, a digest or a commit, in Markdown, from recorded facts only.

    Or write a bill of materials from the same facts, with every hash that can be computed again: of the bundle, the
    splits, the locks and the statements.

    \b
    Examples:
      gazette card bbc_news@champion
      gazette card HEAD --to MODEL_CARD.md
      gazette card bbc_news@champion --format cyclonedx --to news.cdx.json
      gazette card bbc_news@champion --format spdx --to news.spdx.json
    """
    from gazette.lineage.trace import trace
    from gazette.pipeline import written

    if to:
        written.check_replaceable(to)
    text = _renderer(form)(trace(version))
    if to is None:
        click.echo(text, nl=False)
        return
    written.write_text(to, text)
    click.echo(to)


def _renderer(form: str) -> "Callable[[ModelLineage], str]":
    """Return what renders a card in a format."""
    from gazette.lineage import card
    from gazette.lineage.bom import cyclonedx, facts, spdx

    if form == "markdown":
        return card.render_card
    render = {"cyclonedx": cyclonedx.render_bom, "spdx": spdx.render_bom}[form]
    return lambda model: render(facts.gather_facts(model))
