"""The commands about corpora: what is there, what comes in, what goes."""

import json
import sys
from pathlib import Path

import click

from gazette.cli import corpus_check, project
from gazette.cli.corpus_add import add
from gazette.core.errors import Misconfigured
from gazette.data.paths import DESCRIPTIONS, RAW, descriptions


@click.group()
def corpus() -> None:
    """The corpora described in data/corpora."""


for command in (add, corpus_check.audit, corpus_check.diff):
    corpus.add_command(command)


@corpus.command("fetch")
@click.argument("name", required=False)
def fetch(name: str | None) -> None:
    """Bring the files of corpus NAME, or of the one in params.yaml, to data/raw/NAME, checked by their hash.

    Example: gazette corpus fetch bbc_news
    """
    from gazette.core import corpus
    from gazette.data import fetch as fetching

    name = name or str(project.params()["corpus"])
    click.echo(fetching.fetch(corpus.describe(DESCRIPTIONS / f"{name}.yaml").fetch, RAW / name))


@corpus.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON list of objects.")
def list_(as_json: bool) -> None:
    """List the corpora that are described, and whether their files are there."""
    from gazette.cli import corpus_view
    from gazette.core import corpus

    chosen = project.params().get("corpus")
    rows = []
    for path in descriptions():
        about = {"name": path.stem, "chosen": path.stem == chosen}
        try:
            described = corpus.describe(path)
        except Misconfigured as error:
            rows.append({**about, "error": str(error).split("\n")[0]})
            continue
        rows.append(
            {
                **about,
                "language": described.language,
                "classes": len(described.labels),
                "splits": list(described.files),
                "state": _state(path.stem, described.fetch is not None)[0],
            }
        )
    click.echo(json.dumps(rows, ensure_ascii=False)) if as_json else corpus_view.show_list(rows)


@corpus.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(name: str, as_json: bool) -> None:
    """Show how corpus NAME is described and, where its files are there, how many rows each class has."""
    from gazette.cli import corpus_view
    from gazette.core import corpus
    from gazette.data.readers import read

    described = corpus.describe(_known(name))
    state, cure = _state(name, described.fetch is not None)
    if not as_json:
        corpus_view.show_description(name, described, str(RAW / name), f"{state}: {cure}" if cure else state)
    table, rejects = None, None
    if state == "there":
        table, rejects, _ = read.read(described, RAW / name)
    if as_json:
        about = {"name": name, **described.model_dump(exclude_none=True), "raw": str(RAW / name), "state": state}
        click.echo(json.dumps(about | corpus_view.counted(table, rejects), ensure_ascii=False))
    elif table is not None and rejects is not None:
        corpus_view.show_classes(table, described, corpus_view.console())
        corpus_view.show_rejects(rejects, table.height + rejects.height, corpus_view.console())


@corpus.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Remove it without asking.")
def remove(name: str, yes: bool) -> None:
    """Remove corpus NAME: its description, its files in data/raw and their pointer."""
    if project.params().get("corpus") == name:
        raise Misconfigured(f"params.yaml says `corpus: {name}`; name another corpus there first")
    _known(name)
    has_copies = (RAW / f"{name}.dvc").exists()
    copies = "DVC's cache keeps its copies." if has_copies else f"No copies of data/raw/{name} are in DVC's cache."
    if not yes:
        if not project.can_ask():
            raise click.UsageError("there is no terminal to ask on: --yes removes the corpus")
        if not click.confirm(f"Remove {name}, its description and its files? {copies}"):
            click.echo("Nothing was removed.")
            sys.exit(1)
    from gazette.data import ingest

    click.echo(f"Removed: {', '.join(map(str, ingest.remove(name)))}. {copies}")


def _known(name: str) -> Path:
    """The description of a corpus, if there is one of that name."""
    there = {path.stem: path for path in descriptions()}
    if name not in there:
        raise Misconfigured(f"no corpus {name!r} in {DESCRIPTIONS}; there are: {', '.join(there) or 'none'}")
    return there[name]


def _state(name: str, can_fetch: bool) -> tuple[str, str]:
    """Whether the files of a corpus are there, and what brings them."""
    raw = RAW / name
    if raw.exists():
        return "there", ""
    if can_fetch:
        return "not fetched", f"gazette corpus fetch {name}"
    if raw.with_name(f"{name}.dvc").exists():
        return "not pulled", f"dvc pull {raw}.dvc"
    return "not there", f"lay them down at {raw}, then dvc add {raw}"
