"""`python -m flows.score`: label new articles through Prefect, on this machine, now."""

import os
from pathlib import Path
from typing import Any

import click
from prefect_dvc.flows import server

from gazette.__main__ import main
from gazette.cli import project, score_view
from gazette.cli.score import score_options


@click.command("python -m flows.score")
@score_options
def command(path: Path, to: Path, model: str | None, text: tuple[str, ...], workers: int | None, **more: Any) -> None:
    """Label the articles at PATH, as `gazette score` does, each part a task run.

    Prefect's server is the one at PREFECT_API_URL, or one that is started for this run.
    """
    server.ensure_server(Path())
    from flows.scoring import score

    reference = model or f"{project.params()['corpus']}@champion"
    with server.server_errors():
        manifest = score(
            path=str(path),
            to=str(to),
            model=reference,
            text=list(text),
            workers=workers or os.cpu_count() or 1,
            **more,
        )
    click.echo(score_view.summarize_manifest(manifest, to))


if __name__ == "__main__":
    main(command)
