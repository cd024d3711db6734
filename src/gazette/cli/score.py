"""The command that labels files of new articles."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from gazette.cli import journal as journals
from gazette.cli import options, project

OPTIONS = [
    click.argument("path", type=options.PATH),
    click.option("--to", required=True, type=click.Path(file_okay=False, path_type=Path),
                 help="Folder for the results, and for nothing else."),
    click.option("--model", help="NAME@ALIAS, NAME/VERSION or the folder of a bundle.  [default: the champion]"),
    click.option("--text", multiple=True, metavar="COLUMN", help="Text column; several are joined.  [default: text]"),
    click.option("--id", "identifier", metavar="COLUMN", help="Identifier column, copied to the results."),
    options.encoding(),
    options.delimiter(),
    options.header(),
    click.option("--uncertain", default=0.5, show_default=True, type=click.FloatRange(0, 1, min_open=True),
                 help="Rows with a lower probability count as uncertain."),
    click.option("--with-text", is_flag=True, help="Include the texts in the results."),
    click.option("--part-rows", default=65_536, show_default=True, type=click.IntRange(1), help="Rows per result."),
    click.option("--workers", type=click.IntRange(1), help="Parts scored at once.  [default: one per core]"),
    click.option("--runner", default="processes", show_default=True, type=click.Choice(["processes", "dask"]),
                 help="What the workers are."),
    *journals.OPTIONS,
    click.option("--force", is_flag=True, help="Score again, even if the folder has results for other articles."),
]  # fmt: skip
score_options = options.add_options(OPTIONS)


@click.command()
@score_options
@options.as_json("Print the manifest.")
def score(
    path: Path,
    to: Path,
    model: str | None,
    text: tuple[str, ...],
    identifier: str | None,
    encoding: str | None,
    delimiter: str | None,
    header: bool | None,
    uncertain: float,
    with_text: bool,
    part_rows: int,
    workers: int | None,
    runner: str,
    force: bool,
    journal: str,
    no_journal: bool,
    as_json: bool,
) -> None:
    """Label the articles at PATH, a file or folder, and write Parquet files and a manifest.

    A file is CSV, TSV, JSON or Parquet with a text column, or plain lines; a folder contains such files, or files
    that are articles. Unusable rows go to quarantine.parquet, with the reason. If the command is killed, the same
    command resumes.

    \b
    Examples:
      gazette score today.csv --text title --text body --id url --to scored/today
      gazette score drops --model bbc_news/7 --to scored/drops --workers 8 --json
    """
    from gazette.cli import score_view
    from gazette.registry import versions
    from gazette.serving.batch import pools, run, timing
    from gazette.serving.batch.staging import Options

    version = versions.find_model(model or f"{project.params()['corpus']}@{versions.CHAMPION}")
    settings = Options(
        text=text, id=identifier, encoding=encoding, delimiter=delimiter, header=header,
        part_rows=part_rows, uncertain=uncertain, with_text=with_text,
    )  # fmt: skip
    workers, recorded = workers or os.cpu_count() or 1, journals.of_scoring(journal, no_journal)
    about: dict[str, Any] = {"model": version.reference, "runner": runner, "workers": workers}
    with timing.record_timing(to, about), pools.worker_pool(runner, workers) as pool, _progress(about) as report:
        manifest = run.score_files(path, to, version, settings, pool, report, force, recorded)
    journals.end_scoring(recorded)
    if as_json:
        project.echo_json(manifest)
    else:
        click.echo(score_view.summarize_manifest(manifest, to))


@contextmanager
def _progress(about: dict[str, Any]) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal, and record in `about` how many parts existed before."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def report(done: int, total: int) -> None:
            if bar.tasks[task].total is None:
                about["parts_found"] = done
            bar.update(task, description="parts", completed=done, total=total)

        yield report
