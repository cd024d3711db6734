"""The command that brings a corpus in."""

import re
import sys
from pathlib import Path
from typing import Any

import click

from gazette.cli import project

FILES = click.Path(exists=True, path_type=Path)


def _slug(ctx: click.Context, param: click.Parameter, name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name):
        raise click.BadParameter("a name is lower-case letters, digits and _, and begins with a letter: `my_news`")
    return name


def _columns(split: str) -> list[Any]:
    of = f" of {split}, where they differ from train's" if split != "train" else ""
    start = "" if split == "train" else f"{split}-"
    return [
        click.option(f"--{start}text", multiple=True, metavar="COLUMN", help=f"The texts{of}; several are joined."),
        click.option(f"--{start}label", metavar="COLUMN", help=f"The labels{of}."),
    ]


def _per_split(command: Any) -> Any:
    options = [
        click.option("--train", multiple=True, required=True, type=FILES, help="What is learned from."),
        click.option("--valid", multiple=True, type=FILES, help="What candidates are chosen by; else cut from train."),
        click.option("--test", multiple=True, type=FILES, help="What is judged on; else cut from train."),
        *(option for split in ("train", "valid", "test") for option in _columns(split)),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command("add")
@click.argument("name", callback=_slug)
@click.option("--lang", required=True, type=click.Choice(["en", "zh"]), help="The language of the articles.")
@_per_split
@click.option(
    "--classes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with a class on each line: names for labels that are numbers.",
)
@click.option("--numbered-from", type=click.IntRange(0, 1), help="The first class's number, where labels do not tell.")
@click.option("--source", help="Who made the corpus and where.")
@click.option("--terms", default="not stated", help="What it may be used for.")
@click.option("--yes", is_flag=True, help="Add it without asking.")
@click.option("--dry-run", is_flag=True, help="Show it, add nothing.")
def add(
    name: str,
    lang: str,
    classes: Path | None,
    numbered_from: int | None,
    source: str | None,
    terms: str,
    yes: bool,
    dry_run: bool,
    **given: Any,
) -> None:
    """Show how the files of a corpus are understood, then copy them to data/raw/NAME and describe them.

    A file is CSV, TSV, JSON lines or Parquet, or a folder with one folder per class. COLUMN is a name of the header or,
    for a file without one, a position from 1. Delimiter, header and quotes are found out.

    \b
    Examples:
      gazette corpus add mine --lang en --train news.csv --text title --text body --label section
      gazette corpus add agnews --lang en --train train.csv --test test.csv --text text --label class_index \\
        --test-text 2 --test-text 3 --test-label 1 --classes classes.txt
    """
    if not (yes or dry_run or project.can_ask()):
        raise click.UsageError("there is no terminal to ask on: --yes adds the corpus, --dry-run only shows it")
    from gazette.cli import corpus_view
    from gazette.data import ingest

    allowed = project.params().get("validate", {}).get("max_quarantined", 0.0)
    ingest.refuse_taken(name)
    looked = [
        ingest.look(split, path, _asked(split, path, given))
        for split in ("train", "valid", "test")
        for path in given[split]
    ]
    found = ingest.placed(looked)
    about = {
        "language": lang,
        "source": source or f"added from {', '.join(dict.fromkeys(one.path.name for one in found))}",
        "terms": terms,
    }
    described = ingest.described(found, about, _names(classes), numbered_from)
    table, rejects = ingest.sorted_out(found, described)
    corpus_view.show(found, described, table, rejects, allowed)
    if dry_run:
        click.echo("Nothing was added (--dry-run).")
        return
    if not yes and not click.confirm(f"Add this as corpus {name}?"):
        click.echo("Nothing was added.")
        sys.exit(1)
    ingest.add(name, described, found)
    click.echo(
        f"Added: files at data/raw/{name}, described in data/corpora/{name}.yaml.\n"
        f"Next: `corpus: {name}` in params.yaml, then `gazette run`.\n"
        f"For git: data/corpora/{name}.yaml and data/raw/{name}.dvc."
    )


def _asked(split: str, path: Path, given: dict[str, Any]) -> Any:
    """The columns of a split; what is not given is as in train."""
    from gazette.data import sniffing

    start = "" if split == "train" else f"{split}_"
    text, label = given[f"{start}text"] or given["text"], given[f"{start}label"] or given["label"]
    if not path.is_dir() and not (text and label):
        raise click.UsageError(f"{path} has columns: name them by --text and --label, or give a folder per class")
    if len({*text, label}) <= len(text):
        raise click.UsageError(f"{path}: a column is named twice by --text and --label; a label in the text is no news")
    return sniffing.Columns(text, label, "--" + start.replace("_", "-"))


def _names(classes: Path | None) -> list[str]:
    """The classes in a file, one on each line."""
    if classes is None:
        return []
    try:
        names = [line.strip() for line in classes.read_text(encoding="utf-8-sig").rstrip().split("\n")]
    except (UnicodeDecodeError, OSError) as error:
        raise click.BadParameter(f"{classes} cannot be read: {error}", param_hint="--classes") from None
    if "" in names:
        raise click.BadParameter(f"{classes}, line {names.index('') + 1}: no class", param_hint="--classes")
    return names
