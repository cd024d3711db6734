"""The project in which a command was called, and its terminal."""

import codecs
import json
import sys
from pathlib import Path
from typing import Any

import click
from prefect_dvc.core.errors import ConfigError

from gazette.core import files
from gazette.data import paths

PARAMS = Path("params.yaml")


class RootCommand(click.Command):
    """A command about the whole project, refused in a folder below its root, where it would find nothing."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; raises ConfigError with the root if the working directory is below it."""
        if not PARAMS.exists() and files.find_above(PARAMS):
            raise ConfigError(files.describe_missing(PARAMS))
        return super().invoke(ctx)


def params() -> dict[str, Any]:
    """Read `params.yaml` in the working directory."""
    from gazette.pipeline import cmdline

    return cmdline.read_params(PARAMS)


def bundle_folder(folder: Path | None = None) -> Path:
    """Return a folder, or that of the selected bundle; raises ConfigError if it holds none."""
    from gazette.pipeline import cmdline

    folder = folder or Path(cmdline.stage_paths(params())["select"]["bundle"])
    if not (folder / "bundle.json").is_file():
        raise ConfigError(f"no bundle at {folder}: `gazette run` makes it")
    return folder


def echo_json(record: Any, indent: int | None = 2) -> None:
    """Print a record as JSON, on one line if `indent` is None; what is not printable, or not UTF-8, is escaped."""
    ascii_only = codecs.lookup(sys.stdout.encoding or "ascii").name != "utf-8"
    text = json.dumps(record, indent=indent, ensure_ascii=ascii_only, default=str)
    click.echo("".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text))


def can_ask() -> bool:
    """Return whether standard input is a terminal."""
    return sys.stdin.isatty()


def prepare_run() -> None:
    """Check, before DVC removes outputs, what params.yaml names; renew the receipt."""
    from gazette.pipeline import cmdline

    if paths.DESCRIPTIONS.exists():  # the flow runs any DVC project
        numbers = params()
        check_params(numbers)
        _renew_receipt(cmdline.stage_paths(numbers)["register"])


def check_corpus(numbers: dict[str, Any]) -> None:
    """Raise ConfigError if the project has corpora, and params.yaml names none of them."""
    if paths.DESCRIPTIONS.exists():
        paths.check_described(numbers)


def check_params(numbers: dict[str, Any]) -> None:
    """Raise ConfigError if the project has corpora, and params.yaml names none, or a candidate without a section."""
    from gazette.pipeline import cmdline

    check_corpus(numbers)
    if paths.DESCRIPTIONS.exists():
        cmdline.check_candidates(numbers)


def _renew_receipt(options: dict[str, str]) -> None:
    """Delete a receipt whose version is not in the current registry, so that stage `register` runs for it."""
    from gazette.registry.store import address

    if not address.is_current(Path(options["version"])):
        Path(options["receipt"]).unlink(missing_ok=True)
