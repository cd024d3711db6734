"""`prefect-dvc`, or `python -m prefect_dvc`: run a command and turn its result into an exit code."""

import gc
import sys
import traceback

import click

from prefect_dvc import git_environment
from prefect_dvc.cli.app import prefect_dvc
from prefect_dvc.core.errors import CommandError, ConfigError


def main() -> None:
    """Exit with 0 for success, 2 for usage or configuration, a stage's own code, or 70 for a bug of ours."""
    gc.set_threshold(20_000)  # imports make a million objects and no garbage; to look for it takes half a second
    git_environment.forget_caller()  # in a hook, DVC would work on the repository of the hook
    try:
        prefect_dvc.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(ConfigError.code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("prefect-dvc: interrupted", err=True)
        sys.exit(130)  # a shell's code for an interrupted program
    except CommandError as error:
        click.echo(f"prefect-dvc: {error}", err=True)
        sys.exit(error.code)
    except ModuleNotFoundError as error:
        if (error.name or "prefect_dvc").startswith("prefect_dvc"):
            raise
        click.echo(f"prefect-dvc: {error.name} is not installed: pip install 'prefect-dvc[flow]'", err=True)
        sys.exit(ConfigError.code)
    except Exception:
        traceback.print_exc()
        click.echo("prefect-dvc: internal error; please report it with the traceback above", err=True)
        sys.exit(CommandError.code)


if __name__ == "__main__":
    main()
