"""`gazette`, or `python -m gazette`: run a command and turn its result into an exit code."""

import os
import platform
import sys
import traceback

import click

from gazette.cli.app import gazette
from gazette.core.errors import ConfigError, GazetteError

# No telemetry. DVC's own switches are in .dvc/config.
QUIET = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "DVC_NO_ANALYTICS": "1"}
# OpenBLAS sums in a different order on each kind of processor, and numpy's `exp` differs in its last bit with AVX512.
# These kernels run wherever polars does, which requires AVX2.
REPRODUCIBLE = (
    {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
    if platform.machine() in ("x86_64", "AMD64")
    else {}
)


def main(command: click.Command = gazette) -> None:
    """Exit with 0 for success, 1 rejected, 2 usage or configuration, 3 broken data contract, 70 internal error."""
    os.environ.update(QUIET | REPRODUCIBLE)  # before numpy is imported, which reads it
    if "DVC_STAGE" in os.environ:  # before anything slow
        from gazette.pipeline import loaded
        from gazette.pipeline.recovery import orphans

        orphans.exit_with_dvc()
        loaded.reexec_in_tree()
    try:
        sys.exit(command.main(prog_name=command.name, standalone_mode=False))
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
