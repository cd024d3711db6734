"""The command that adds a corpus."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from gazette.cli import options, project
from gazette.pipeline import corpus_params

FILES = click.Path(exists=True, path_type=Path)


def _check_name(ctx: click.Context, param: click.Parameter, name: str) -> str:
    if not corpus_params.NAME.fullmatch(name):
        raise click.BadParameter(corpus_params.NAME_RULE)
    return name


def _columns(split: str) -> list[Any]:
    of = f" of {split}, if not as in train" if split != "train" else ""
    prefix = "" if split == "train" else f"{split}-"
    return [
        click.option(f"--{prefix}text", multiple=True, metavar="COLUMN", help=f"Text column{of}; several are joined."),
        click.option(f"--{prefix}label", metavar="COLUMN", help=f"Label column{of}."),
        click.option(f"--{prefix}date", metavar="COLUMN", help=f"Date column{of}."),
        options.encoding(f"--{prefix}encoding", f"Encoding{of}, such as gb18030.  [default: found out and shown]"),
    ]


SPLIT_OPTIONS = [
    click.option("--train", multiple=True, required=True, type=FILES, help="Files to train on."),
    click.option(
        "--valid", multiple=True, type=FILES, help="Files to select candidates on.  [default: cut from train]"
    ),
    click.option("--test", multiple=True, type=FILES, help="Files to evaluate on.  [default: cut from train]"),
    *(option for split in ("train", "valid", "test") for option in _columns(split)),
    options.delimiter(),
    options.header(),
    options.date_format(),
    options.time_zone(),
    click.option(
        "--until",
        type=click.DateTime(["%Y-%m-%d"]),
        help="Day on which the files were made: a later date is an error.  [default: today, written down]",
    ),
]


@click.command("add")
@click.argument("name", callback=_check_name)
@options.language()
@options.add_options(SPLIT_OPTIONS)
@click.option(
    "--classes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the name of a class on each line, for labels that are numbers.",
)
@click.option(
    "--numbered-from", type=click.IntRange(0, 1), help="Number of the first class, if the labels are unclear."
)
@click.option("--source", help="Who published the corpus, and where.")
@click.option("--terms", default="not stated", show_default=True, help="What it may be used for.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--dry-run", is_flag=True, help="Show how the files are read, and add nothing.")
def add(
    name: str,
    lang: str,
    classes: Path | None,
    numbered_from: int | None,
    source: str | None,
    terms: str,
    yes: bool,
    dry_run: bool,
    **columns: Any,
) -> None:
    """Add a corpus: show how its files are read, then copy them to data/raw/NAME and describe them.

    A file is CSV, TSV, JSON or Parquet, or a folder with one folder per class. COLUMN is a name in the header or,
    for a file without one, a position from 1. Delimiter, header and quoting are detected.

    \b
    Examples:
      gazette corpus add mine --lang en --train news.csv --text title --text body --label section
      gazette corpus add agnews --lang en --train train.csv --test test.csv --text text --label class_index \\
        --test-text 2 --test-text 3 --test-label 1 --classes classes.txt
    """
    if not (yes or dry_run or project.can_ask()):
        raise click.UsageError("no terminal to ask for confirmation: --yes adds the corpus, --dry-run only shows it")
    from gazette.cli import corpus_view
    from gazette.data import ingest

    max_quarantined = project.params().get("validate", {}).get("max_quarantined", 0.0)
    ingest.check_name_free(name)
    until = columns["until"].date() if columns["until"] else datetime.now(UTC).date()
    files = ingest.assign_paths(
        [
            _inspect(split, path, _select_columns(split, path, columns), _hints(split, lang, columns), until)
            for split in ("train", "valid", "test")
            for path in columns[split]
        ]
    )
    is_dated = any(getattr(file.file, "date", None) is not None for file in files)
    about = {
        "language": lang,
        **({"until": until} if is_dated else {}),
        "source": source or f"added from {', '.join(dict.fromkeys(file.path.name for file in files))}",
        "terms": terms,
    }
    description = ingest.describe_corpus(files, about, _read_classes(classes), numbered_from)
    table, rejects = ingest.validate_rows(files, description)
    corpus_view.show_new_corpus(files, description, table, rejects, max_quarantined)
    if dry_run:
        click.echo("Nothing was added (--dry-run).")
        return
    if not yes and not click.confirm(f"Add this as corpus {name}?"):
        click.echo("Nothing was added.")
        sys.exit(1)
    ingest.add_corpus(name, description, files)
    click.echo(
        f"Added: files in data/raw/{name}, description in data/corpora/{name}.yaml.\n"
        f"Next: set `corpus: {name}` in params.yaml, then `gazette run`.\n"
        f"For git: data/corpora/{name}.yaml and data/raw/{name}.dvc."
    )


def _inspect(split: Any, path: Path, columns: Any, hints: Any, until: date) -> Any:
    """Inspect a file; on a terminal, ask for a format of dates that nothing in the file decides."""
    from gazette.data import ingest
    from gazette.data.date_formats import AmbiguousDatesError

    try:
        return ingest.inspect_file(split, path, columns, hints, until)
    except AmbiguousDatesError as question:
        if not project.can_ask():
            raise
        click.echo(str(question))
        form = click.prompt("Format of the dates", type=click.Choice(question.formats))
    return ingest.inspect_file(split, path, columns, hints._replace(date_format=form), until)


def _select_columns(split: str, path: Path, columns: dict[str, Any]) -> Any:
    """Return the columns of a split, by default those of train."""
    from gazette.data.readers.columns import Columns

    text, label = _of_split("text", split, columns), _of_split("label", split, columns)
    if not path.is_dir() and not (text and label):
        raise click.UsageError(f"{path} has columns: name them by --text and --label, or pass a folder per class")
    if len({*text, label}) <= len(text):
        raise click.UsageError(
            f"{path}: --text and --label name a column twice; a column cannot be both text and label"
        )
    when = _of_split("date", split, columns)
    if when is not None and (path.is_dir() or when in (*text, label)):
        why = "a folder has no columns" if path.is_dir() else "it is a column of the text, or the label's"
        raise click.UsageError(f"{path}: --date {when}: {why}")
    return Columns(text, label, "--" if split == "train" else f"--{split}-", date=when)


def _hints(split: str, language: str, options: dict[str, Any]) -> Any:
    """Return what the options say of the files of a split."""
    from gazette.data.coding import Hints

    encoding = _of_split("encoding", split, options)
    dates = options["date_format"], options["time_zone"]
    return Hints(language, encoding, options["delimiter"], options["header"], *dates)


def _of_split(option: str, split: str, options: dict[str, Any]) -> Any:
    """Return the value of an option for a split, by default that of train."""
    return (split != "train" and options[f"{split}_{option}"]) or options[option]


def _read_classes(path: Path | None) -> list[str]:
    """Read the names of the classes, one on each line; an empty list without a file."""
    if path is None:
        return []
    try:
        names = [line.strip() for line in path.read_text(encoding="utf-8-sig").rstrip().split("\n")]
    except (UnicodeDecodeError, OSError) as error:
        raise click.BadParameter(f"{path} cannot be read: {error}", param_hint="--classes") from None
    if "" in names:
        raise click.BadParameter(f"{path}, line {names.index('') + 1}: no class", param_hint="--classes")
    return names
