"""The commands about pretrained encoders."""

import click

from gazette.cli import options


@click.group(cls=options.Group)
def pretrained() -> None:
    """Fetch the pretrained encoders described in data/pretrained."""


@pretrained.command("fetch")
@click.argument("name", default="all-minilm-l6-v2")
def fetch(name: str) -> None:
    """Download encoder NAME to data/pretrained/NAME and check its hash.

    Example: gazette pretrained fetch all-minilm-l6-v2
    """
    from gazette.data import fetch as fetching

    click.echo(fetching.fetch_encoder(name))
