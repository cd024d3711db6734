"""The commands that show the registry and its ledger, and pull a version into an application."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.cli import options, project, trust
from gazette.core.escape import tally


@click.command()
@options.as_json("Print one JSON object per version.")
def versions(as_json: bool) -> None:
    """List the versions of the corpus: aliases, digest, revision, and last entry in the ledger.

    Example: gazette versions
    """
    from gazette.registry import listing

    numbers = project.params()
    if not (rows := listing.list_versions(numbers["corpus"])):
        project.check_corpus(numbers)
    if as_json:
        _echo_lines(rows)
    else:
        _show(rows, {"digest": 12, "revision": 9, "ledger": 20})


@click.command(cls=project.RootCommand)
@click.option(
    "--verify",
    is_flag=True,
    help="Check the hash chain, its history in git, the shared ledger, and the registry's aliases.",
)
@options.as_json("Print the entries as recorded, one JSON object per line.")
def ledger(verify: bool, as_json: bool) -> None:
    """Show who made which version champion, when and why.

    Exits with 3 if the ledger was altered.

    \b
    Examples:
      gazette ledger
      gazette ledger --verify
      gazette ledger --json
    """
    from gazette.registry import ledger as book
    from gazette.registry import ledger_history, listing, shared_ledger

    lines, more = book.read_lines(), 0
    faults = book.verify_chain(lines)
    entries = [] if faults else book.read_ledger()
    if verify:
        contradictions, more = shared_ledger.verify(lines)
        faults += contradictions + ledger_history.rewritten_commits() + listing.names_ahead_of_ledger(entries)
        faults += listing.list_moved_aliases(entries)
    if faults:
        raise DataContractError("\n".join([f"{book.PATH} cannot be trusted:", *(f"  {fault}" for fault in faults)]))
    if as_json:
        _echo_lines(entry.record() for entry in entries)
    elif not verify:
        _show([listing.entry_row(entry) for entry in entries], {})
    if verify:
        new = ledger_history.count_uncommitted()
        late = f"; the last {new} in no commit yet, so git cannot vouch for them" if new else ""
        behind = f"; other clones have decided {more} more, which the next promotion here brings" if more else ""
        click.echo(f"{tally(len(entries), 'entry', 'entries')}, the chain is intact{late}{behind}", err=as_json)


@click.group(cls=options.Group)
def registry() -> None:
    """Repair the registry: its aliases, which follow the ledger, and the place of its files."""


@registry.command()
@click.option("--force", is_flag=True, help="Even if the registry follows an entry that is not in this ledger.")
def rebuild(force: bool) -> None:
    """Move the aliases champion and previous to the versions that the ledger names.

    Example: gazette registry rebuild
    """
    from gazette.registry import versions

    corpus = project.params()["corpus"]
    versions.require_registry(corpus)
    from gazette.registry import aliases, promotion
    from gazette.registry import ledger as book
    from gazette.registry.store import client as store

    with promotion.promotion_lock():
        entries, client = book.read_ledger(), store.connect()
        hints = []
        for name in sorted({corpus, *(entry.name for entry in entries)}):
            moves = aliases.sync(client, name, entries, force)
            lines = [f"{name}@{move.alias}: {move.source or 'nowhere'} → {move.to or 'nowhere'}" for move in moves]
            hints.append(aliases.missing_champion_hint(name, entries, store.get_model(client, name)))
            click.echo("\n".join(lines or [f"{name}: nothing to move"]))
    if any(hints):
        raise ConfigError("\n".join(filter(None, hints)))


@registry.command(cls=project.RootCommand)
def relocate() -> None:
    """Move files of the registry that are in a tree of a run, and so would be removed, to the project's mlruns.

    After a project was copied or moved, make its registry name the files in its own mlruns instead of the former ones.
    Names the versions whose files are gone. Only for a registry in an SQLite database.

    Example: gazette registry relocate
    """
    from gazette.registry.store import address, locations, relocation

    path = address.database()
    if path is None or not path.exists():
        raise ConfigError(f"{address.name()} is not a database here, so its server knows where its files are")
    moves = relocation.relocate(path, address.artifact_folder())
    lines = [f"{source} → {target}" for source, target in moves]
    click.echo("\n".join([*(lines or ["nothing to move"]), *locations.describe_lost(path)]))


@click.command()
@click.argument("version", metavar="[NAME@ALIAS]", required=False)
@click.option("--to", type=options.PATH, help="Folder for the bundle.")
@click.option("--locked", is_flag=True, help="Pull exactly what gazette.lock pins, or exit with 1.")
@trust.SIGNERS
def pull(version: str | None, to: Path | None, locked: bool, signers: tuple[Path, ...]) -> None:
    """Download a registered bundle, check its digest, and pin it in gazette.lock.

    The folder is replaced atomically. A signature of the version is written beside it, to FOLDER.sig.

    \b
    Examples:
      gazette pull bbc_news@champion --to models/news
      gazette pull bbc_news/7 --to models/news
      gazette pull --locked --require-signature team.pub.pem
    """
    if locked == bool(version or to) or (version is None) != (to is None):
        raise click.UsageError("pass NAME@ALIAS and --to FOLDER, or --locked alone")
    from gazette.serving import pull as pulling

    keys = trust.list_signers(signers)
    if version and to:
        pins = {to.as_posix(): pulling.pull(version, to, signers=keys)}
    else:
        pins = pulling.pull_locked(signers=keys)
    click.echo("\n".join(pulling.list_folders(pins)))


def _echo_lines(rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        project.echo_json(row, indent=None)


def _show(rows: list[dict[str, Any]], limits: dict[str, int]) -> None:
    from gazette.cli import tables

    if rows:
        tables.show(tables.build_table(rows, limits=limits))
    else:
        click.echo("none yet", err=True)
