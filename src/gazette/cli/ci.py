"""The command that continuous integration runs on a proposed change."""

import sys
from dataclasses import asdict
from pathlib import Path

import click
from prefect_dvc.core import atomic

from gazette.cli import options, project, streams


@click.command()
@click.option("--base", required=True, metavar="REV", help="The target of the change: origin/main, or a commit.")
@click.option("--comment", type=click.Path(dir_okay=False, path_type=Path), help="Also write the comment to this file.")
@click.option("--link", default="", metavar="URL", help="A link to the report, for the comment.")
@click.option("--excerpt", default=0, show_default=True, type=click.IntRange(0, 200), metavar="CHARACTERS",
              help="Quote this much of each flipped article; comments are often public.")  # fmt: skip
@click.option("--allow-stale-lock", is_flag=True, help="Only warn if the committed dvc.lock belongs to other inputs.")
@options.as_json("Print the whole review as one JSON object, instead of the comment.")
def ci(base: str, comment: Path | None, link: str, excerpt: int, allow_stale_lock: bool, as_json: bool) -> None:
    """Run the pipeline in this tree, judge the result against REV, and print a comment in Markdown.

    Exits with 0 if the classifier is accepted; with 1 if it is rejected, if the verdict is inconclusive, or if the
    committed dvc.lock belongs to other inputs; with 3 if the corpus breaks its contract. The comment says why.

    \b
    Examples:
      gazette ci --base origin/main
      gazette ci --base main --comment comment.md --excerpt 80
    """
    from gazette.evaluation.ci import comment as page
    from gazette.evaluation.ci import review
    from gazette.pipeline import written

    if comment:
        written.check_replaceable(comment, page.is_comment)
    _write(comment, page.UNFINISHED)
    result = review.review_change(base, streams.echo_error, excerpt, allow_stale_lock)
    text = page.render_comment(result, link)
    _write(comment, text)
    if as_json:
        project.echo_json(asdict(result))
    else:
        click.echo(text, nl=False)
    sys.exit(result.code)


def _write(path: Path | None, text: str) -> None:
    if path:
        atomic.write_text(path, text)
