"""The registry of this clone; without MLflow, so that every run can check it."""

import os
from pathlib import Path
from typing import Any

from gazette.core import files

DATABASE = Path("mlflow.db")


def tracking_uri() -> str:
    """Return MLFLOW_TRACKING_URI, or the URI of the database in this folder."""
    return os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{DATABASE}")


def absolute_uri(root: Path) -> str:
    """Return the URI for a process in another folder: a relative database path is resolved against `root`."""
    head, slashes, path = tracking_uri().partition("sqlite:///")
    return f"{head}{slashes}{root.absolute() / path}" if slashes else head


def registry_exists() -> bool:
    """Whether there is a registry; connecting to a missing one would create an empty database."""
    return "MLFLOW_TRACKING_URI" in os.environ or DATABASE.exists()


def describe_registry(challenged: bool) -> dict[str, Any]:
    """Return what `register` records beside a version's number: its registry, and whether it is the challenger."""
    return {"registry": tracking_uri(), "challenged": challenged}


def is_current(version: Path) -> bool:
    """Whether the version recorded at `version` is in the current registry, as its challenger."""
    return (
        version.exists()
        and registry_exists()
        and describe_registry(challenged=True).items() <= files.read_json(version).items()
    )
