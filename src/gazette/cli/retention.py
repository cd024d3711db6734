"""The command that removes what is old and nobody needs."""

from collections import defaultdict
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from gazette.cli import options, project

KINDS = ("version", "run", "bundle", "object", "journal")
WORDS = {"object": "objects of DVC's cache", "journal": "files of the journal"}


@click.command(cls=project.RootCommand)
@click.option("--days", type=click.IntRange(1), default=180, show_default=True, help="What is younger stays.")
@click.option("--keep", multiple=True, metavar="VERSION", help="A version that stays: NAME/NUMBER or NAME@ALIAS.")
@click.option("--only", multiple=True, type=click.Choice(KINDS), help="Nothing but these kinds.  [default: all]")
@click.option("--journal", type=options.PATH, help="Folder of the journal.  [default: .gazette/journal]")
@click.option("--yes", is_flag=True, help="Remove it; without, nothing is changed.")
@options.as_json()
def gc(days: int, keep: tuple[str, ...], only: tuple[str, ...], journal: Path | None, yes: bool, as_json: bool) -> None:
    """Show what is old and nobody needs; with --yes, remove it.

    Versions stay that have an alias, are named by --keep, are champion or previous in the ledger, or are younger, with
    their runs, statements and data. Of DVC's cache, what the tree, branches, tags and experiments need stays too.

    \b
    Examples:
      gazette gc
      gazette gc --days 365 --keep bbc_news/3 --yes
      gazette gc --only bundle --only journal --days 30 --yes
    """
    from prefect_dvc.recovery import guard

    from gazette.data import paths
    from gazette.monitoring import observe
    from gazette.registry import retained, retention
    from gazette.serving.journal import prune

    kinds, folder = only or KINDS, journal or observe.JOURNAL
    before = datetime.now(UTC) - timedelta(days=days)
    names = [path.stem for path in paths.list_descriptions()]
    with guard.without_runs(Path()):
        needed = retention.find_needed(names, keep, before)
        registered = retention.list_registered(names, needed, before) if {"version", "run"} & {*kinds} else []
        objects, note = retained.list_objects(Path(), needed.revisions, before) if "object" in kinds else ([], "")
        bundles = retention.list_bundles(needed, before) if "bundle" in kinds else []
        old = prune.list_old(folder, before) if "journal" in kinds else []
        items = [item for item in [*registered, *bundles, *objects] if item.kind in kinds]
        items += [retention.Item("journal", path.name, path.name[:10], path.stat().st_size) for path in old]
        notes = [note] if note else []
        if yes:
            todo = retention.remove_registered([item for item in items if item.kind in ("version", "run")])
            notes += [todo] if todo else []
            retention.remove_bundles(bundles)
            if objects:
                retained.remove_objects(Path(), needed.revisions, before)
            prune.remove(folder, before, old)
    if as_json:
        record = {"removed": yes, "before": f"{before:%Y-%m-%d}", "kept": needed.reasons, "notes": notes}
        project.echo_json(record | {"items": [asdict(item) for item in items]})
        return
    groups = defaultdict(list)
    for item in items:
        groups[item.kind].append(item)
    for name, reason in needed.reasons.items():
        click.echo(f"stays: {name} ({reason})")
    for kind, group in groups.items():
        size = sum(item.bytes for item in group)
        listed = "" if kind in WORDS else ": " + ", ".join(item.name for item in group)
        click.echo(f"{len(group):,} {WORDS.get(kind, kind + 's')}, {size:,} bytes{listed}")
    for line in notes:
        click.echo(line)
    click.echo(f"Nothing is older than {days} days and not needed." if not items else "Removed." if yes else
               "Nothing was changed; --yes removes it.")  # fmt: skip
