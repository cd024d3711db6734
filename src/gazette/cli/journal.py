"""The journal of predictions: options of the commands that write it, and commands to look at it and to prune it."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazette.cli import options, project
from gazette.core.escape import tally

if TYPE_CHECKING:
    from gazette.serving.batch.journaling import Journal
    from gazette.serving.journal.params import Params

FOLDER = ".gazette/journal"
OPTIONS = [
    click.option("--journal", default=FOLDER, show_default=True, help="Folder for the journal of predictions."),
    click.option("--no-journal", is_flag=True, help="Keep no journal."),
]
_FOLDER = click.option("--journal", "folder", default=FOLDER, show_default=True,
                       type=click.Path(file_okay=False, path_type=Path), help="Its folder.")  # fmt: skip


def read_params() -> "Params":
    """Read what is kept of traffic from `params.yaml`; a folder without that file has the defaults."""
    from prefect_dvc.core.errors import parse

    from gazette.serving.journal.params import Params

    sections: dict[str, Any] = project.params() if project.PARAMS.exists() else {}
    return parse(Params, sections.get("monitor", {}), "params.yaml, section monitor")


def of_scoring(folder: str, off: bool) -> "Journal | None":
    """Return where a scoring is recorded, None if nowhere."""
    from gazette.serving.batch.journaling import Journal

    return None if off else Journal(Path(folder), read_params().sample)


def end_scoring(journal: "Journal | None") -> None:
    """Say why parts are not in the journal, and tidy it."""
    if journal is None:
        return
    from gazette.serving.journal import prune

    for fault in dict.fromkeys(journal.faults):
        click.echo(f"gazette: warning: rows are missing in the journal: {fault}", err=True)
    prune.try_tidy(journal.folder, read_params())


@click.group()
def journal() -> None:
    """Look at the journal of predictions: what was answered, by which version, when; without texts."""


@journal.command()
@_FOLDER
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="First day, in UTC.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Day after the last one.")
@options.as_json()
def show(folder: Path, since: datetime | None, until: datetime | None, as_json: bool) -> None:
    """Show how much of each version was recorded day by day, and what the journal takes on the disk.

    \b
    Examples:
      gazette journal show --since 2026-11-01
      gazette journal show --json
    """
    from gazette.cli import tables
    from gazette.serving.journal import summary

    record = summary.summarize(folder, since, until)
    if as_json:
        project.echo_json(record)
        return
    head = f"{folder}: {record['bytes']:,} bytes, {tally(record['texts'], 'text')} in the sample"
    rows = [day | {"digest": day["digest"][:8], "labels": _list(day["labels"])} for day in record["days"]]
    columns = ("day", "digest", "source", "records", "confidence", "unknown", "labels")
    right = ("records", "confidence", "unknown")
    tables.show(head, tables.build_table(rows, columns, right=right) if rows else "no records")


def _list(shares: dict[str, float]) -> str:
    return ", ".join(f"{label} {share:.0%}" for label, share in shares.items())


@journal.command()
@_FOLDER
@click.option("--days", type=click.IntRange(1), help="Of records.  [default: monitor.journal_days]")
@click.option("--text-days", type=click.IntRange(1), help="Of texts.  [default: monitor.text_days]")
@click.option("--megabytes", type=click.IntRange(1), help="Of all files.  [default: monitor.journal_megabytes]")
@options.as_json()
def prune(folder: Path, days: int | None, text_days: int | None, megabytes: int | None, as_json: bool) -> None:
    """Compact days past to Parquet, and remove what is older or more than section `monitor` of params.yaml allows.

    A running server does so every hour, `gazette score` at its end.

    \b
    Examples:
      gazette journal prune
      gazette journal prune --days 90 --megabytes 500
    """
    from dataclasses import asdict
    from datetime import UTC

    from gazette.serving.journal import prune

    bounds = {"journal_days": days, "text_days": text_days, "journal_megabytes": megabytes}
    params = read_params().model_copy(update={key: value for key, value in bounds.items() if value is not None})
    tidied = prune.tidy(folder, params, datetime.now(UTC))
    if as_json:
        project.echo_json(asdict(tidied))
        return
    for verb, names in (("compacted", tidied.compacted), ("removed", tidied.removed)):
        for name in names:
            click.echo(f"{verb} {name}")
    click.echo(f"{folder}: {tidied.bytes:,} bytes")
