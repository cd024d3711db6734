"""`gazette`, or `python -m gazette`: run a command and turn its result into an exit code."""

import os
import sys
import traceback
from pathlib import Path

import click

from gazette.cli.app import gazette
from gazette.core.errors import ConfigError, GazetteError
from gazette.pipeline import inheritance


def main(command: click.Command = gazette) -> None:
    """Exit with 0 for success, 1 rejected, 2 usage or configuration, 3 broken data contract, 70 internal error."""
    try:
        ignored = inheritance.clean_process()  # before a library is imported that reads its environment
        if "DVC_STAGE" in os.environ:  # before anything slow
            from gazette.pipeline import loaded
            from gazette.pipeline.recovery import orphans

            orphans.exit_with_dvc()
            loaded.reexec_in_tree()
        if Path("dvc.yaml").exists():
            from gazette.pipeline import kernels

            if warning := kernels.choose_kernels(Path()):
                click.echo(f"gazette: {warning}", err=True)
        sys.exit(command.main(prog_name=command.name, standalone_mode=False, obj=ignored))
    except click.ClickException as error:
        error.show()
        sys.exit(ConfigError.code)
    except click.Abort:
        sys.exit(130)  # a shell's code for an interrupted program
    except GazetteError as error:
        click.echo(f"gazette: {error}", err=True)
        sys.exit(error.code)
    except Exception:
        traceback.print_exc()
        click.echo("gazette: Internal error. Please report it with the traceback above.", err=True)
        sys.exit(70)


if __name__ == "__main__":
    main()
