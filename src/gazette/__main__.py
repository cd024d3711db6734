"""`gazette`, or `python -m gazette`: runs a command and turns its end into an exit code."""

import os
import platform
import sys
import traceback

import click

from gazette.cli.app import gazette
from gazette.core.errors import Misconfigured, Stop

# Nobody phones home. DVC's own switches stand in .dvc/config.
QUIET = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "DVC_NO_ANALYTICS": "1"}
# OpenBLAS adds in another order on each kind of processor, and numpy's `exp` differs in its last bit with AVX512; these
# kernels run wherever polars does, which wants AVX2.
SAME = (
    {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
    if platform.machine() in ("x86_64", "AMD64")
    else {}
)


def main(command: click.Command = gazette) -> None:
    """Exit codes: 0 fine, 1 rejected, 2 usage or configuration, 3 data contract broken, 70 our own bug."""
    os.environ.update(QUIET | SAME)  # before numpy is imported, which reads it
    if "DVC_STAGE" in os.environ:  # before anything that takes long
        from gazette.pipeline import loaded
        from gazette.pipeline.recovery import orphans

        orphans.follow()
        loaded.start_over()
    try:
        sys.exit(command.main(prog_name=command.name, standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(Misconfigured.code)
    except click.Abort:
        sys.exit(130)  # as a shell says of a program that was interrupted
    except Stop as stop:
        click.echo(f"gazette: {stop}", err=True)
        sys.exit(stop.code)
    except Exception:
        traceback.print_exc()
        click.echo("gazette: this is a bug of ours; please report it with the lines above", err=True)
        sys.exit(70)


if __name__ == "__main__":
    main()
