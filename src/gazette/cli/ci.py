"""The command that continuous integration calls on a proposed change."""

import json
import sys
from pathlib import Path

import click

from gazette.core import atomic


@click.command()
@click.option("--base", required=True, metavar="REV", help="Where the change would go: origin/main, a commit.")
@click.option("--comment", type=click.Path(dir_okay=False, path_type=Path), help="A file for the comment as well.")
@click.option("--link", default="", metavar="URL", help="Where who reads the comment finds the report.")
@click.option("--excerpt", default=0, show_default=True, type=click.IntRange(0, 200), metavar="CHARACTERS",
              help="So much of each article that flipped; a comment is often public.")  # fmt: skip
@click.option("--allow-stale-lock", is_flag=True, help="A committed dvc.lock of other inputs only warns.")
@click.option("--json", "as_json", is_flag=True, help="The whole account as one JSON object, instead of the comment.")
def ci(base: str, comment: Path | None, link: str, excerpt: int, allow_stale_lock: bool, as_json: bool) -> None:
    """Run the pipeline in this tree, judge what it makes against REV, and comment on it in Markdown.

    Ends with 0 where it is accepted, 1 where it is rejected, where that cannot be told, or where the committed dvc.lock
    belongs to other inputs; 3 where the corpus breaks its contract; the comment says why. The run is `gazette run`.

    \b
    Examples:
      gazette ci --base origin/main
      gazette ci --base main --comment comment.md --excerpt 80
    """
    from gazette.evaluation.ci import comment as page
    from gazette.evaluation.ci import review

    _write(comment, page.UNFINISHED)
    drawn = review.draw_up(base, lambda line: click.echo(line, err=True), excerpt, allow_stale_lock)
    said = page.render(drawn, link)
    _write(comment, said)
    click.echo(json.dumps(drawn.record(), indent=2, ensure_ascii=False, default=str) if as_json else said, nl=as_json)
    sys.exit(drawn.code)


def _write(path: Path | None, text: str) -> None:
    if path:
        atomic.write(text, path)
