"""Whom commands trust: options that name keys, and the policy in `params.yaml` that stands for them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazette.cli import options, project

if TYPE_CHECKING:
    from gazette.registry.trust import Params

SIGNERS = click.option(
    "--require-signature", "signers", multiple=True, type=options.PATH, metavar="KEY",
    help="Public ECDSA key (PEM) that must have signed the bundle; of several, one.  "
    "[default: trust.require_signature in params.yaml]",
)  # fmt: skip


def read_params() -> "Params":
    """Read the policy from `params.yaml`; a folder without that file, or without the section, trusts everybody."""
    from prefect_dvc.core.errors import parse

    from gazette.registry.trust import Params

    sections: dict[str, Any] = project.params() if project.PARAMS.exists() else {}
    return parse(Params, sections.get("trust", {}), "params.yaml, section trust")


def list_verifiers(required: int | None, keys: tuple[Path, ...]) -> tuple[int, list[Path]]:
    """Return how many verifiers are required, and their keys: those of the policy, or of the command line.

    If the command line requires none itself, its keys are not those of verifiers.
    """
    params = read_params()
    verifiers = [Path(key) for key in params.verifiers]
    return (params.require, verifiers) if required is None else (required, list(keys) or verifiers)


def list_signers(keys: tuple[Path, ...]) -> list[Path]:
    """Return the keys of which one must have signed a bundle: those of the command line, else those of the policy."""
    return list(keys) or [Path(key) for key in read_params().require_signature]
