"""The commands that add to a corpus and change no raw file: correct and extend."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gazette.cli import options, project
from gazette.core.escape import tally
from gazette.data.paths import DESCRIPTIONS, RAW

if TYPE_CHECKING:
    import polars as pl

    from gazette.core.corpus import Corpus

SHARED = [
    click.option("--yes", is_flag=True, help="Do not ask for confirmation."),
    click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing."),
    click.option("--publish", is_flag=True, help="Commit and push the change, and tell Prefect's server of it."),
]
OUTCOMES = {
    "relabeled": "get another label",
    "train_only": "get another label, in train",
    "withheld": "are in valid or test, so nothing changes",
    "unchanged": "have this label already",
    "known": "are in the corpus already",
    "added": "are not in the corpus, and become rows of train",
    "absent": "are no longer in the raw files",
    "superseded": "count less than another correction of the same text",
    "disputed": "have several labels by volunteers, so nothing changes",
}


@click.command()
@click.argument("name")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options.encoding()
@options.add_options(SHARED)
def correct(name: str, files: tuple[Path, ...], encoding: str | None, yes: bool, dry_run: bool, publish: bool) -> None:
    """Correct labels of corpus NAME by what people say, in an overlay; raw files stay as they are.

    FILES are feedback as `gazette serve` writes it (JSON lines), or lists of `gazette corpus audit` (CSV) with column
    `correct_label` filled in. What is volunteered changes rows of train only; a text that the corpus lacks becomes one.

    \b
    Examples:
      gazette corpus correct bbc_news feedback/*.jsonl --dry-run
      gazette corpus correct bbc_news data/audit/bbc_news.csv
    """
    from gazette.data import correcting
    from gazette.data.coding import Hints

    description, raw = _open(name, yes or dry_run)
    hints = Hints(description.language, encoding)
    answers = correcting.read_corrections(files, raw, name, description, hints)
    if answers.absent:
        click.echo(f"Left out, since not in the corpus as listed: {tally(answers.absent, 'line')} of audits.")
    if answers.torn:
        click.echo(f"Left out, since no JSON, as after a full disk: {tally(answers.torn, 'line')} of feedback.")
    if answers.rejects.height:
        place, reason = answers.rejects["place"][0], answers.rejects["reason"][0]
        click.echo(
            f"{answers.rejects.height:,} new texts cannot be used, so they are left out. The first: {place}: {reason}"
        )
    _apply(name, description, raw, answers.corrections, yes, dry_run, publish)


@click.command()
@click.argument("name")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--text", multiple=True, metavar="COLUMN", help="Text column.  [default: as in the corpus]")
@click.option("--label", metavar="COLUMN", help="Label column.  [default: as in the corpus]")
@options.encoding()
@options.delimiter()
@options.header()
@options.add_options(SHARED)
def extend(
    name: str,
    files: tuple[Path, ...],
    text: tuple[str, ...],
    label: str | None,
    encoding: str | None,
    delimiter: str | None,
    header: bool | None,
    yes: bool,
    dry_run: bool,
    publish: bool,
) -> None:
    """Add new labeled articles to corpus NAME as rows of train, in an overlay; raw files stay as they are.

    A file is CSV, TSV, JSON or Parquet, or a folder with one folder per class, as for `gazette corpus add`.

    \b
    Example: gazette corpus extend bbc_news december.csv --text title --text body --label section
    """
    from gazette.data import correcting
    from gazette.data.coding import Hints
    from gazette.data.readers.columns import Columns

    description, raw = _open(name, yes or dry_run)
    default = correcting.train_columns(description)
    columns = Columns(text or default.text, label or default.label)
    if not columns.label and not all(path.is_dir() for path in files):
        raise click.UsageError(f"the description of {name} names no columns: --text and --label name those of FILES")
    new = correcting.read_articles(
        files, description, columns, Hints(description.language, encoding, delimiter, header)
    )
    _apply(name, description, raw, new, yes, dry_run, publish)


def _open(name: str, decided: bool) -> "tuple[Corpus, pl.DataFrame]":
    """Return the description and the raw articles; raises UsageError if nobody can be asked and it is not decided."""
    if not (decided or project.can_ask()):
        raise click.UsageError("no terminal to ask for confirmation: --yes writes, --dry-run only shows")
    from gazette.core import corpus
    from gazette.data import correcting
    from gazette.data.readers import read

    description = corpus.read_description(DESCRIPTIONS / f"{name}.yaml")
    correcting.check_recorded(name)
    return description, read.read_corpus(description, RAW / name)[0]


def _apply(
    name: str, about: "Corpus", raw: "pl.DataFrame", new: "pl.DataFrame", yes: bool, dry_run: bool, publish: bool
) -> None:
    """Show what corrections would change, ask, and write them."""
    from gazette.cli import corpus_diff
    from gazette.core.corpus import OVERLAY
    from gazette.data import correcting

    if new.is_empty():
        click.echo("There is nothing to correct or add.")
        return
    numbers = project.params()["preprocess"]
    merged, content = correcting.merge(new, name)
    shares = (numbers["valid_share"], numbers["test_share"])
    corpus_diff.show_corrections(correcting.preview(merged, new, raw, about, shares), OUTCOMES)
    if dry_run:
        click.echo("Nothing was written (--dry-run).")
        return
    if not yes and not click.confirm(f"Write this to the overlay of {name}?"):
        click.echo("Nothing was written.")
        sys.exit(1)
    path = RAW / name / OVERLAY
    changed = correcting.write_overlay(name, content)
    click.echo(f"{path}: {tally(merged.height, 'line')}" if changed else f"{path} has all of this already.")
    _announce(name, publish)


def _announce(name: str, publish: bool) -> None:
    """Publish the pointer and emit the event, or say how."""
    from gazette.pipeline import announce

    pointer = f"data/raw/{name}.dvc"
    if not publish:
        click.echo(
            f"Next: `gazette run`. For git: {pointer}; --publish commits and pushes it and emits {announce.EVENT}."
        )
        return
    announce.publish_pointer(Path(pointer), f"Correct the corpus {name}")
    emitted = announce.emit_change(name)
    click.echo(
        f"Pushed {pointer}; " + (f"emitted {announce.EVENT}." if emitted else "PREFECT_API_URL names no server.")
    )
