"""The commands about encoders that others trained."""

import click


@click.group()
def pretrained() -> None:
    """The encoders described in data/pretrained."""


@pretrained.command("fetch")
@click.argument("name", default="all-minilm-l6-v2")
def fetch(name: str) -> None:
    """Bring encoder NAME to data/pretrained/NAME, checked by its hash.

    Example: gazette pretrained fetch all-minilm-l6-v2
    """
    from gazette.data import fetch as fetching

    click.echo(fetching.encoder(name))
