"""The command that erases an article."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gazette.cli import options, project

if TYPE_CHECKING:
    from gazette.lineage.erasure.erase import Findings

NEXT = """\
Next: `gazette run` trains without it. Commit data/erased.jsonl and data/raw/*.dvc, then `dvc push`; other clones
and caches have to run the same command, with the text. A version that learned from it stays until it is replaced."""


@click.command(cls=project.RootCommand)
@click.argument("articles", nargs=-1, metavar="ARTICLE...")
@click.option("--feedback", default="feedback", show_default=True, type=options.PATH, help="Folder of corrections.")
@click.option("--journal", type=options.PATH, help="Folder of the journal.  [default: .gazette/journal]")
@click.option("--also", multiple=True, type=options.PATH, help="Another folder to search, such as results of scoring.")
@click.option("--yes", is_flag=True, help="Remove it; without, nothing is changed.")
@options.as_json()
def erase(
    articles: tuple[str, ...],
    feedback: Path,
    journal: Path | None,
    also: tuple[Path, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Show where an article lives and which models learned from it; with --yes, remove it from everywhere but models.

    An ARTICLE is FILE:LINE of a raw file or of feedback, a file with nothing but the text, an id of the journal's
    sample, or the text. Its hash stays, in data/erased.jsonl, so that raw data never bring it back. A killed --yes
    continues with `gazette erase --yes`. Exit code 1: it is still somewhere.

    \b
    Examples:
      gazette erase data/raw/bbc_news/business/001.txt
      gazette erase data/raw/news/train/news.csv:17 --yes
      gazette erase ../letter.txt --json
    """
    from gazette.lineage.erasure import erase, places, resolve
    from gazette.monitoring import answers, observe

    opened = places.open_project(feedback, journal or observe.JOURNAL, observe.FOLDER / answers.ASKED, also)
    pending = erase.list_pending() if yes else []
    named = [] if pending else [resolve.find_article(opened, word) for word in articles]
    wanted = {article.digest: article for article in [*pending, *named]}
    if not wanted:
        raise click.UsageError("name an ARTICLE")
    if pending and articles:
        click.echo("An erasure was interrupted, and is finished first; then run this command again.", err=True)
    act = erase.erase if yes else erase.find_everywhere
    results = [act(opened, article, lambda line: click.echo(line, err=True)) for article in wanted.values()]
    if as_json:
        project.echo_json([asdict(result) | {"erased": yes} for result in results])
    else:
        for result in results:
            _show(result, yes)
    if yes and any(result.places for result in results):
        sys.exit(1)


def _show(result: "Findings", yes: bool) -> None:
    head = f"Article {result.sha256[:12]} " + ("was erased" if yes else "is in")
    many = f"{len(result.places):,} place{'s' * (len(result.places) != 1)}"
    click.echo(f"{head}; it is still in {many}:" if yes and result.places else f"{head}" if yes else f"{head} {many}:")
    for place in result.places:
        note = f"  ({place.note})" if place.note else ""
        click.echo(f"  {place.kind:<10} {place.where}  {place.action}{note}")
    click.echo("Models that learned from it:" if result.learners else "No known model learned from it.")
    for learner in result.learners:
        names = ", ".join(learner.versions) or "not registered"
        click.echo(f"  {learner.digest[:8]}  {names}  {learner.place}  in {', '.join(learner.splits)}")
    for line in result.unknown:
        click.echo(f"  not known: {line}")
    click.echo(NEXT if yes else "Nothing was changed; --yes removes it from everywhere but models.")
