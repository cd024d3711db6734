"""`python -m flows.score`: labels new articles through Prefect, here and now."""

import os
from pathlib import Path
from typing import Any

import click

from flows import server
from gazette.__main__ import main
from gazette.cli import project
from gazette.cli.score import asks


@click.command("python -m flows.score")
@asks
def command(path: Path, to: Path, asked: str | None, text: tuple[str, ...], workers: int | None, **given: Any) -> None:
    """Label the articles at PATH, as `gazette score` does, each part a task run.

    Prefect's server is the one at PREFECT_API_URL, or one for as long as this takes.
    """
    server.at_hand(Path())
    from flows.scoring import score
    from gazette.serving.batch import summary

    manifest = score(
        path=str(path),
        to=str(to),
        model=asked or f"{project.params()['corpus']}@champion",
        text=list(text),
        workers=workers or os.cpu_count() or 1,
        **given,
    )
    click.echo(summary.text(manifest, to))


if __name__ == "__main__":
    main(command)
