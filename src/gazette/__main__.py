"""`gazette`, or `python -m gazette`: run a command and turn its result into an exit code."""

import errno
import gc
import os
import shutil
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path

import click
from prefect_dvc.core.errors import CommandError, ConfigError

from gazette.cli import streams
from gazette.cli.app import gazette
from gazette.pipeline import inheritance

# Errors of the system that no code can prevent: a disk that is full, read-only or broken, what this user may not do,
# and paths that cannot be.
SYSTEM = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM),
    *(errno.EMFILE, errno.ENFILE, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR),
)
KERNEL = ("/proc/", "/sys/")  # where a file that cannot be made is one that does not exist
UNNAMED = "the output, or a file of the project, of DVC's cache or of temporary ones"


def main(command: click.Command = gazette) -> None:
    """Exit with 0 for success, 1 rejected, 2 usage or configuration, 3 broken data contract, 70 internal error."""
    streams.configure()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # temporary folders are removed on the way
    gc.set_threshold(20_000)  # imports make a million objects and no garbage; to look for it takes half a second of 5
    try:
        ignored = inheritance.clean_process()  # before a library is imported that reads its environment
        if "DVC_STAGE" in os.environ:  # before anything slow
            from prefect_dvc.recovery import orphans

            from gazette.pipeline import loaded

            orphans.exit_with_dvc()
            loaded.reexec_in_tree()
        if Path("dvc.yaml").exists():
            from gazette.pipeline import kernels

            if warning := kernels.choose_kernels(Path()):
                streams.echo_error(f"gazette: {warning}")
        with streams.quiet_pipe():
            sys.exit(command.main(prog_name=command.name, standalone_mode=False, obj=ignored))
    except click.ClickException as error:
        with suppress(OSError):  # standard error is gone
            error.show()
        sys.exit(ConfigError.code)
    except (click.Abort, KeyboardInterrupt):
        streams.echo_error("gazette: interrupted")
        sys.exit(130)  # a shell's code for an interrupted program
    except CommandError as error:
        streams.echo_error(f"gazette: {error}")
        sys.exit(error.code)
    except ModuleNotFoundError as error:
        if (error.name or "gazette").startswith("gazette"):
            raise
        streams.echo_error(
            f"gazette: {error.name} is not installed. This command needs the extra `pipeline`: "
            "`pip install 'gazette-news[pipeline]'`, or `make install` in a clone"
        )
        sys.exit(ConfigError.code)
    except Exception as error:
        if isinstance(error, shutil.Error):  # of `copytree`: source, target and reason of each file
            streams.echo_error(f"gazette: {error.args[0][0][2]}")
            sys.exit(ConfigError.code)
        if isinstance(error, OSError) and (error.errno in SYSTEM or str(error.filename).startswith(KERNEL)):
            streams.echo_error(f"gazette: {error.filename or UNNAMED}: {error.strerror}")
            if not error.filename:
                streams.discard_output()
            sys.exit(ConfigError.code)
        with suppress(OSError):
            traceback.print_exc()
        streams.echo_error("gazette: Internal error. Please report it with the traceback above.")
        sys.exit(70)


if __name__ == "__main__":
    main()
