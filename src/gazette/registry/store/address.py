"""The registry of this project; without MLflow, so that every run can check it."""

import os
import re
from pathlib import Path
from typing import Any

from prefect_dvc import connection
from prefect_dvc.core.errors import ConfigError

from gazette.core import files
from gazette.registry.store import locations

VARIABLE = "MLFLOW_TRACKING_URI"
DATABASE = Path("mlflow.db")
_SQLITE = re.compile(r"(?P<scheme>sqlite(?:\+\w+)?:///)(?P<path>(?!:memory:|file:)[^?]+)(?P<query>\?.*)?")
_NO_FILE = re.compile(r"sqlite(\+\w+)?:(?!///[^?:])")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:|(databricks|databricks-uc|uc)$", re.IGNORECASE)


def is_named() -> bool:
    """Whether MLFLOW_TRACKING_URI names a registry; an empty one does not."""
    return bool(os.environ.get(VARIABLE, "").strip())


def name() -> str:
    """Return what a message calls the registry: MLFLOW_TRACKING_URI without a password, or the project's database."""
    return connection.redact(os.environ[VARIABLE]) if is_named() else str(DATABASE)


def tracking_uri() -> str:
    """Return the URI of the registry, the same in every tree of the project that a run makes."""
    return absolute_uri(locations.project_folder())


def absolute_uri(root: Path) -> str:
    """Return MLFLOW_TRACKING_URI, or the URI of the project's database; a relative path is resolved against `root`."""
    uri = os.environ[VARIABLE].strip() if is_named() else f"sqlite:///{DATABASE}"
    if _NO_FILE.match(uri):
        raise ConfigError(f"{VARIABLE}={name()}: expected the file of an SQLite database, such as sqlite:///mlflow.db")
    if database := _SQLITE.fullmatch(uri):
        _check_name(root)
        return f"{database['scheme']}{root.absolute() / database['path']}{database['query'] or ''}"
    return uri if _SCHEME.match(uri) else str(root.absolute() / uri)


def _check_name(root: Path) -> None:
    if "?" in str(root.absolute()):
        raise ConfigError(
            f"the path of this project, {root.absolute()}, has a question mark, at which the address of an SQLite "
            f"database ends; rename the folder, or let {VARIABLE} name a server"
        )


def database() -> Path | None:
    """Return the path of the registry's database if it is a file, present or not; None if it is a server."""
    match = _SQLITE.fullmatch(tracking_uri())
    return Path(match["path"]) if match else None


def is_shared() -> bool:
    """Whether other clones may use the registry: a server does not belong to a project, nor does a database outside."""
    path, project = database(), locations.project_folder().resolve()
    return path is None or not path.resolve().is_relative_to(project)


def check_place() -> None:
    """Raise ConfigError if the project cannot have its registry here, or if that names files of another project."""
    path = database()
    if path and not is_shared() and (fault := locations.describe_foreign(path)):
        raise ConfigError(fault)


def artifact_folder() -> Path:
    """Return the folder below whose `mlruns` a new registry keeps its files: the database's, or else the project's."""
    path = database()
    return path.parent if path else locations.project_folder()


def experiment_folder(experiment: str) -> str | None:
    """Return where a new experiment keeps its files; None if MLflow's own choice, a path below `mlruns`, will do."""
    path = artifact_folder().absolute() / locations.ARTIFACTS
    return (path / experiment).as_uri() if database() and locations.is_misread(str(path)) else None


def registry_exists() -> bool:
    """Whether there is a registry; connecting to a missing one would create an empty database."""
    return is_named() or (locations.project_folder() / DATABASE).exists()


def describe_registry(challenged: bool) -> dict[str, Any]:
    """Return what `register` records beside a version's number: its registry, and whether it is the challenger."""
    return {"registry": connection.redact(tracking_uri()), "challenged": challenged}


def is_current(version: Path) -> bool:
    """Whether the version recorded at `version` is in the current registry, as its challenger, and has its files.

    Raises ConfigError, before a run trains what it could not register, if the project cannot have the registry.
    """
    check_place()
    if not version.exists() or not registry_exists():
        return False
    record, path = files.read_json(version), database()
    lost = locations.list_lost_versions(path) if path else []
    return (
        describe_registry(challenged=True).items() <= record.items()
        and f"{record['name']}/{record['version']}" not in lost
    )


def list_warnings() -> list[str]:
    """Return what endangers the registry's files, each with the command that fixes it; none for a server."""
    path = database()
    if path is None:
        return []
    if not is_shared() and (fault := locations.describe_foreign(path)):
        return [fault]
    return [
        f"the registry keeps files in {folder}, a tree that is removed after its run; `gazette registry relocate`"
        for folder in locations.list_strays(path)
    ] + locations.describe_lost(path)
