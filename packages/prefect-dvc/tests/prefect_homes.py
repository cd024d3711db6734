"""The folder of a Prefect server with its database, which takes a server four seconds of processor to create."""

import atexit
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from flow_runs import until

from prefect_dvc.environment import child_environment

SHARED = "WARM_DATABASE"  # variable with the path of the empty database that the workers of a test run copy


def share() -> None:
    """Start to create the database for the workers of this test run."""
    folder = Path(tempfile.mkdtemp(prefix="prefect"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[SHARED] = str(folder / "prefect.db")
    create = f"{shlex.quote(sys.executable)} -m prefect server database upgrade --yes && mv home/prefect.db ."
    environment = child_environment({"PREFECT_HOME": str(folder / "home")})
    subprocess.Popen(
        create, shell=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def prepare(home: Path) -> Path:
    """Make a server's folder, with the shared database if there is one, and return it."""
    home.mkdir(parents=True, exist_ok=True)
    if SHARED in os.environ:
        until(Path(os.environ[SHARED]).exists)
        shutil.copy(os.environ[SHARED], home)
    return home
