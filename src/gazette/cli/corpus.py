"""The commands about corpora."""

import sys
from pathlib import Path

import click
from prefect_dvc.core.errors import ConfigError

from gazette.cli import corpus_check, corpus_correct, options, project
from gazette.cli.corpus_add import add
from gazette.data.paths import DESCRIPTIONS, RAW, list_descriptions


@click.group(cls=options.Group)
def corpus() -> None:
    """Add, list, show, fetch, remove, correct, extend, compare and audit corpora."""


corpus.add_command(add)


@corpus.command("list")
@options.as_json("Print one JSON list of objects.")
def list_(as_json: bool) -> None:
    """List the described corpora, and whether their files are present.

    Example: gazette corpus list
    """
    from gazette.cli import corpus_view
    from gazette.core import corpus

    chosen = project.params().get("corpus")
    rows = []
    for path in list_descriptions():
        row = {"name": path.stem, "chosen": path.stem == chosen}
        try:
            about = corpus.read_description(path)
        except ConfigError as error:
            rows.append(row | {"error": str(error).split("\n")[0]})
            continue
        row |= {"language": about.language, "classes": len(about.labels), "splits": list(about.files)}
        rows.append(row | {"state": _state(path.stem, about.fetch is not None)[0]})
    project.echo_json(rows, indent=None) if as_json else corpus_view.show_list(rows)


@corpus.command("show")
@click.argument("name")
@options.as_json()
def show(name: str, as_json: bool) -> None:
    """Show the description of corpus NAME and, if its files are present, how many rows each class has.

    Example: gazette corpus show bbc_news
    """
    from gazette.cli import corpus_view
    from gazette.core import corpus
    from gazette.data import corrected

    description = corpus.read_description(_find_description(name))
    state, cure = _state(name, description.fetch is not None)
    if not as_json:
        corpus_view.show_description(name, description, str(RAW / name), f"{state}: {cure}" if cure else state)
    table, rejects = None, None
    if state == "present":
        table, rejects, *_ = corrected.read_corrected(description, RAW / name)
    if as_json:
        about = {
            "name": name,
            **description.model_dump(mode="json", exclude_none=True),
            "raw": str(RAW / name),
            "state": state,
        }
        project.echo_json(about | corpus_view.count_rows(table, rejects), indent=None)
    elif table is not None and rejects is not None:
        corpus_view.show_classes(table, description)
        corpus_view.show_rejects(rejects, table.height + rejects.height)


@corpus.command("fetch")
@click.argument("name", required=False)
def fetch(name: str | None) -> None:
    """Download the files of corpus NAME, by default the one in params.yaml, and check their hash.

    They are written to data/raw/NAME.

    Example: gazette corpus fetch bbc_news
    """
    from gazette.core import corpus
    from gazette.data import fetch as fetching

    name = name or str(project.params()["corpus"])
    click.echo(fetching.fetch_corpus(corpus.read_description(_find_description(name)).fetch, RAW / name))


@corpus.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def remove(name: str, yes: bool) -> None:
    """Remove corpus NAME: its description, its files in data/raw and their pointer.

    Example: gazette corpus remove mine
    """
    if project.params().get("corpus") == name:
        raise ConfigError(f"params.yaml has `corpus: {name}`; choose another corpus there first")
    _find_description(name)
    from gazette.data import removing

    removing.check_removable(name)
    has_copies = (RAW / f"{name}.dvc").exists()
    copies = "DVC's cache keeps its copies." if has_copies else f"DVC's cache has no copies of data/raw/{name}."
    if not yes:
        if not project.can_ask():
            raise click.UsageError("no terminal to ask for confirmation: --yes removes the corpus")
        if not click.confirm(f"Remove {name}, its description and its files? {copies}"):
            click.echo("Nothing was removed.")
            sys.exit(1)
    click.echo(f"Removed: {', '.join(map(str, removing.remove_corpus(name)))}. {copies}")


corpus.add_command(corpus_correct.correct)
corpus.add_command(corpus_correct.extend)
corpus.add_command(corpus_check.diff)
corpus.add_command(corpus_check.audit)


def _find_description(name: str) -> Path:
    """Return the path of a corpus's description; raises ConfigError if there is none."""
    paths = {path.stem: path for path in list_descriptions()}
    if name not in paths:
        raise ConfigError(f"no corpus {name!r} in {DESCRIPTIONS}; it has: {', '.join(paths) or 'none'}")
    return paths[name]


def _state(name: str, can_fetch: bool) -> tuple[str, str]:
    """Return whether the files of a corpus are present, and the command that brings them."""
    raw = RAW / name
    if raw.exists():
        return "present", ""
    if can_fetch:
        return "not fetched", f"gazette corpus fetch {name}"
    if raw.with_name(f"{name}.dvc").exists():
        return "not pulled", f"dvc pull {raw}.dvc"
    return "missing", f"copy them to {raw}, then dvc add {raw}"
