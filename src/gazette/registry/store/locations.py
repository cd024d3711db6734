"""Where a registry in a database keeps the files of its versions.

MLflow records absolute paths, so a registry that was begun in a run's own tree names that tree forever, and the copy of
a project names the original's files. Reads MLflow's database directly: its client takes seconds to import.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import unquote

from prefect_dvc.core.errors import ConfigError

from gazette.registry.store import database_faults

ARTIFACTS = "mlruns"
LOCK_SECONDS = 5
# A tree that a run makes and removes: a worktree of prefect-dvc, whose project may be below the folder with `.dvc`, one
# of an earlier Gazette, or one of `dvc exp run --temp` and of DVC's queue.
TREE = re.compile(
    r"(?P<top>.*?)/(?:\.dvc/tmp/prefect-dvc(?:/below/(?P<inside>[^/]+))?/retrain-[^/]+|\.gazette/[^/]+|\.dvc/tmp/exps)/"
)
_PATHS = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}


def project_folder() -> Path:
    """Return the folder of the project, also to a process that works in a tree that a run made of it."""
    here = Path.cwd()
    tree = TREE.match(f"{here}/")
    return Path(tree["top"], unquote(tree["inside"] or "")) if tree else here


def check_lasting(experiment: str, location: str, begun_here: Path) -> None:
    """Raise ConfigError if an experiment's files are kept in a tree that a run removes, or on another machine.

    `begun_here` is the folder below which a registry that begins here keeps its files.
    """
    path = _local_path(location)
    if path and not path.exists() and not path.is_relative_to(begun_here.absolute()):
        raise ConfigError(
            f"the registry keeps the files of {experiment} in {path}, a folder of another machine, where what this one "
            "registers would not be. Rename that experiment, and create one where all machines can read and write: "
            f"`mlflow experiments create -n {experiment} -l s3://BUCKET/FOLDER`; see docs/servers.md"
        )
    if path and is_misread(location):
        raise ConfigError(
            f"MLflow takes {location}, where the registry keeps the files of {experiment}, for {unquote(location)}: "
            "`gazette registry relocate` records it as MLflow understands it, then the same command goes on"
        )
    if TREE.match(location):
        raise ConfigError(
            f"the registry keeps the files of {experiment} in {location}, a tree that is removed after its run, so a "
            "version registered now would lose them: `gazette registry relocate` moves them, then the same command "
            "goes on"
        )


def is_misread(location: str) -> bool:
    """Whether MLflow takes a path to be another one, since it has `%` before two hexadecimal digits."""
    return not location.startswith("file:") and unquote(location) != location


def list_strays(database: Path) -> list[str]:
    """Return the folders inside trees of runs in which a database keeps files, one for each experiment."""
    if not database.exists():
        return []
    with open_database(database) as connection:
        return [str(root) for root in list_stray_roots(connection)]


def describe_foreign(database: Path) -> str:
    """Return that a registry names files of another project, as that of a copy does, and the cure; empty if not."""
    if not database.exists():
        return ""
    home = database.parent / ARTIFACTS
    with open_database(database) as connection:
        foreign = " and ".join(map(str, list_foreign(connection, home, database.name)))
    if not foreign:
        return ""
    return (
        f"the registry {database} has its files in {foreign}, since this project was copied or moved; nothing is read "
        f"or written there: `gazette registry relocate` makes the registry name {home}, then the same command goes on"
    )


def list_lost_versions(database: Path) -> list[str]:
    """Return the versions, as NAME/NUMBER, whose files should be on this machine and are not."""
    if not database.exists():
        return []
    with open_database(database) as connection:
        if not _columns(connection, "model_versions"):
            return []
        live = "current_stage != 'Deleted_Internal'"
        query = f"SELECT name, version, coalesce(storage_location, source) FROM model_versions WHERE {live}"
        rows = connection.execute(f"{query} ORDER BY name, version").fetchall()
    places = ((f"{name}/{number}", _local_path(place)) for name, number, place in rows)
    return [version for version, path in places if path and not path.exists()]


def describe_lost(database: Path) -> list[str]:
    """Return a line for each version without files."""
    return [
        f"{version} has lost its files, which were removed; `git checkout` its revision, then `gazette run` registers "
        "the bundle again"
        for version in list_lost_versions(database)
    ]


@contextmanager
def open_database(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for the block; raises ConfigError if it cannot be read or written."""
    try:
        with closing(sqlite3.connect(database, timeout=LOCK_SECONDS)) as connection:
            yield connection
    except sqlite3.Error as error:
        fault = database_faults.explain(error) or str(error)
        raise ConfigError(f"the registry at {database} failed: {fault}") from error


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def list_columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """List the table and column of each path that this version of MLflow records."""
    present = {table: _columns(connection, table) for table in _PATHS}
    return [(table, column) for table, columns in _PATHS.items() for column in columns if column in present[table]]


def list_places(connection: sqlite3.Connection, table: str, column: str) -> Iterator[tuple[str, Path]]:
    """Yield each place on this machine that a column names, as recorded and as a path."""
    for (place,) in connection.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall():
        if path := _local_path(place):
            yield place, path


def _local_path(place: str | None) -> Path | None:
    if place and place.startswith("file:///"):
        return Path(unquote(place.removeprefix("file://")))
    return Path(place) if place and place.startswith("/") else None


def list_stray_roots(connection: sqlite3.Connection) -> list[Path]:
    """Return the folder of each experiment's files that is in a tree of a run."""
    return sorted(top for top in _list_tops(connection) if TREE.match(str(top)))


def list_foreign(connection: sqlite3.Connection, home: Path, database: str) -> list[Path]:
    """Return each `mlruns` that a registry names and that is another project's, or was this one's before it moved.

    `home` is the `mlruns` of this project, and `database` the name of the registry's file. A folder elsewhere that has
    no registry beside it was chosen by somebody.
    """
    lasting = (top for top in _list_tops(connection) if not TREE.match(str(top)))
    tops = [top for top in lasting if top.parent.resolve() != home.resolve()]
    copied = {top.parent for top in tops if (top.parents[1] / database).exists()}
    moved = {top.parent for top in tops if not top.parent.exists() and (home / top.name).exists()}
    return sorted(copied | moved)


def _list_tops(connection: sqlite3.Connection) -> set[Path]:
    """Return the folder of each experiment's files that is below an `mlruns` on this machine."""
    paths = {path for table, column in list_columns(connection) for _, path in list_places(connection, table, column)}
    tops = (next((top for top in [path, *path.parents] if top.parent.name == ARTIFACTS), None) for path in paths)
    return {top for top in tops if top}
