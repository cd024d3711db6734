"""The commands that look at the registry and its ledger, and take a version into an application."""

import json
from pathlib import Path
from typing import Any

import click

from gazette.cli import project
from gazette.core.errors import BrokenContract, Misconfigured


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per version.")
def versions(as_json: bool) -> None:
    """List the versions of the corpus: aliases, digest, revision, and what the ledger says of each.

    \b
    Examples:
      gazette versions
      gazette versions --json
    """
    from gazette.registry import listing

    rows = listing.of_versions(project.params()["corpus"])
    if as_json:
        _as_lines(rows)
    else:
        _table(rows, {"digest": 12, "revision": 9, "ledger": 20})


@click.command()
@click.option("--verify", is_flag=True, help="Check the chain, git's history of it, and what the registry follows.")
@click.option("--json", "as_json", is_flag=True, help="The entries as they stand, one JSON object per line.")
def ledger(verify: bool, as_json: bool) -> None:
    """Show who made which version champion, when and why; an altered ledger ends with 3.

    \b
    Examples:
      gazette ledger
      gazette ledger --verify
      gazette ledger --json
    """
    from gazette.registry import ledger as book
    from gazette.registry import listing

    found = book.verify(book.lines())
    if verify:
        found += book.rewritten() + listing.followed_elsewhere()
    if found:
        raise BrokenContract("\n".join([f"{book.PATH} is not to be trusted:", *(f"  {one}" for one in found)]))
    entries = book.read()
    if as_json:
        _as_lines([entry.record() for entry in entries])
    elif not verify:
        _table([listing.of_entry(entry) for entry in entries], {})
    if verify:
        new = book.uncommitted()
        late = f"; the last {new} in no commit yet, where git cannot vouch for them" if new else ""
        click.echo(f"{len(entries)} entries, the chain is whole{late}", err=as_json)


@click.group()
def registry() -> None:
    """The aliases of the registry, which follow the ledger."""


@registry.command()
@click.option("--force", is_flag=True, help="Also where the registry follows an entry that is not in this ledger.")
def rebuild(force: bool) -> None:
    """Move champion and previous to where the ledger has them.

    \b
    Examples:
      gazette registry rebuild
    """
    from gazette.registry import versions as known

    corpus = project.params()["corpus"]
    known.refuse_no_registry(corpus)
    from gazette.registry import aliases, promotion
    from gazette.registry import ledger as book
    from gazette.registry.store import client as remote

    with promotion.alone():
        entries, client = book.read(), remote.connect()
        missing = []
        for name in sorted({corpus, *(entry.name for entry in entries)}):
            moved = aliases.settle(client, name, entries, force)
            lines = [f"{name}@{move.alias}: {move.origin or 'nowhere'} → {move.to or 'nowhere'}" for move in moved]
            missing += [why] if (why := aliases.absent(name, entries, remote.known(client, name))) else []
            click.echo("\n".join(lines or [f"{name}: nothing to move"]))
    if missing:
        raise Misconfigured("\n".join(missing))


@click.command()
@click.argument("asked", metavar="[NAME@ALIAS]", required=False)
@click.option("--to", type=click.Path(path_type=Path), help="The folder for the bundle.")
@click.option("--locked", is_flag=True, help="Exactly what gazette.lock pins, or 1.")
def pull(asked: str | None, to: Path | None, locked: bool) -> None:
    """Bring a registered bundle to a folder and pin it in gazette.lock; digest checked, swapped in at once.

    \b
    Examples:
      gazette pull bbc_news@champion --to models/news
      gazette pull bbc_news/7 --to models/news
      gazette pull --locked
    """
    if locked == bool(asked or to) or (asked is None) != (to is None):
        raise click.UsageError("give NAME@ALIAS and --to FOLDER, or --locked alone")
    from gazette.serving import pull as consuming

    pins = consuming.pull_locked() if locked else {to.as_posix(): consuming.pull(asked, to)} if asked and to else {}
    click.echo("\n".join(consuming.folders(pins)))


def _as_lines(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False))


def _table(rows: list[dict[str, Any]], cut: dict[str, int]) -> None:
    """Rows with the same keys; of hashes the first characters."""
    from rich.table import Table

    from gazette.cli.corpus_view import console
    from gazette.core.escape import shown

    if not rows:
        click.echo("none yet", err=True)
        return
    table = Table(*rows[0], box=None, header_style="bold")
    for row in rows:
        cells = {key: " ".join(value) if isinstance(value, list) else str(value) for key, value in row.items()}
        table.add_row(*(shown(text, 80)[: cut.get(key)] for key, text in cells.items()))
    console().print(table)
