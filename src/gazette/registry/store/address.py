"""Which registry this clone registers in, and whether it has; without MLflow, so that every run can ask."""

import os
from pathlib import Path
from typing import Any

from gazette.core import files

DATABASE = Path("mlflow.db")


def address() -> str:
    """MLFLOW_TRACKING_URI, or the database in this folder."""
    return os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{DATABASE}")


def absolute(root: Path) -> str:
    """The address for a process that works elsewhere: a database named by a path is one in the project at `root`."""
    head, slashes, path = address().partition("sqlite:///")
    return f"{head}{slashes}{root.absolute() / path}" if slashes else head


def exists() -> bool:
    """Whether there is a registry to ask, so that asking does not make an empty one."""
    return "MLFLOW_TRACKING_URI" in os.environ or DATABASE.exists()


def here(challenged: bool) -> dict[str, Any]:
    """What `register` notes beside a version's number: where it is, and whether `challenger` points to it."""
    return {"registry": address(), "challenged": challenged}


def is_current(version: Path) -> bool:
    """Whether the version noted at `version` is in today's registry, as its challenger."""
    return version.exists() and exists() and here(challenged=True).items() <= files.read(version).items()
