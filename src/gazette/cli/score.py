"""The command that labels files of new articles."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from gazette.cli import project

OPTIONS = [
    click.argument("path", type=click.Path(path_type=Path)),
    click.option("--to", required=True, type=click.Path(file_okay=False, path_type=Path), help="A folder of its own."),
    click.option("--model", "asked", help="NAME@ALIAS, NAME/VERSION or a bundle's folder.  [default: the champion]"),
    click.option("--text", multiple=True, metavar="COLUMN", help="The texts; several are joined.  [default: text]"),
    click.option("--id", "identifier", metavar="COLUMN", help="An identifier that is carried through."),
    click.option("--uncertain", default=0.5, show_default=True, type=click.FloatRange(0, 1, min_open=True)),
    click.option("--with-text", is_flag=True, help="The texts, too, stand in the results."),
    click.option("--part-rows", default=65_536, show_default=True, type=click.IntRange(1), help="In a result file."),
    click.option("--workers", type=click.IntRange(1), help="Parts that are scored at once.  [default: one a core]"),
    click.option("--runner", default="processes", show_default=True, type=click.Choice(["processes", "dask"])),
    click.option("--force", is_flag=True, help="Score anew what is there for other articles."),
]


def asks(command: Any) -> Any:
    """What is to be scored, by what and where, as options of a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command()
@asks
@click.option("--json", "as_json", is_flag=True, help="The manifest.")
def score(
    path: Path,
    to: Path,
    asked: str | None,
    text: tuple[str, ...],
    identifier: str | None,
    uncertain: float,
    with_text: bool,
    part_rows: int,
    workers: int | None,
    runner: str,
    force: bool,
    as_json: bool,
) -> None:
    """Label the articles at PATH, a file or folder, into Parquet at a folder, with a manifest.

    A file is CSV, TSV, JSON lines or Parquet with a column of texts, or plain lines; a folder holds such files, or
    files that are articles. A row that cannot be used is in quarantine.parquet, with the reason. Killed, the same
    command goes on where it was.

    \b
    Examples:
      gazette score today.csv --text title --text body --id url --to scored/today
      gazette score drops --model bbc_news/7 --to scored/drops --workers 8 --json
    """
    from gazette.registry import versions
    from gazette.serving.batch import pools, run, summary, timing
    from gazette.serving.batch.staging import Options

    model = versions.find(asked or f"{project.params()['corpus']}@{versions.CHAMPION}")
    options = Options(text=text, id=identifier, part_rows=part_rows, uncertain=uncertain, with_text=with_text)
    workers = workers or os.cpu_count() or 1
    about: dict[str, Any] = {"model": model.asked, "runner": runner, "workers": workers}
    with timing.measured(to, about), pools.pool(runner, workers) as pool, _progress(about) as tell:
        manifest = run.score(path, to, model, options, pool, tell, force)
    click.echo(json.dumps(manifest, indent=2, ensure_ascii=False) if as_json else summary.text(manifest, to))


@contextmanager
def _progress(about: dict[str, Any]) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, elsewhere nothing; notes in `about` how many parts were there before."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def tell(done: int, of: int) -> None:
            if bar.tasks[task].total is None:
                about["parts_found"] = done
            bar.update(task, description="parts", completed=done, total=of)

        yield tell
