"""Where a registry in a database keeps the files of its versions, and moving those that a run would remove.

MLflow records absolute paths, so a registry that was begun in a run's own tree names that tree forever. Reads and
writes MLflow's database directly: its client cannot change a path, and takes seconds to import.
"""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
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
    with _open(database) as connection:
        return sorted({str(root) for root in _stray_roots(connection)})


def list_lost_versions(database: Path) -> list[str]:
    """Return the versions, as NAME/NUMBER, whose files should be on this machine and are not."""
    if not database.exists():
        return []
    with _open(database) as connection:
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


def relocate(database: Path, to: Path) -> list[tuple[Path, Path]]:
    """Move what a database keeps in trees of runs to `to`/mlruns, and return the folders moved from and to.

    A file is moved before its new path is recorded, so a killed call is finished by the next. Raises ConfigError if
    another file has the place of one that is to be moved; then no path is changed.
    """
    moves: list[tuple[Path, Path]] = []
    with _open(database) as connection, connection:
        for root in sorted(set(_stray_roots(connection))):
            target = to.absolute() / ARTIFACTS / root.name
            _move_files(root, target)
            for table, column in _known_columns(connection):
                _rewrite(connection, table, column, root, target)
            moves.append((root, target))
    for root, _ in moves:
        _remove_empty(root)
    return moves


@contextmanager
def _open(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for the block; raises ConfigError if it cannot be read or written."""
    try:
        with closing(sqlite3.connect(database, timeout=LOCK_SECONDS)) as connection:
            yield connection
    except sqlite3.Error as error:
        fault = database_faults.explain(error) or str(error)
        raise ConfigError(f"the registry at {database} failed: {fault}") from error


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def _known_columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """List the table and column of each path that this version of MLflow records."""
    present = {table: _columns(connection, table) for table in _PATHS}
    return [(table, column) for table, columns in _PATHS.items() for column in columns if column in present[table]]


def _places(connection: sqlite3.Connection, table: str, column: str) -> Iterator[tuple[str, Path]]:
    """Yield each place on this machine that a column names, as recorded and as a path."""
    for (place,) in connection.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall():
        if path := _local_path(place):
            yield place, path


def _local_path(place: str | None) -> Path | None:
    if place and place.startswith("file:///"):
        return Path(unquote(place.removeprefix("file://")))
    return Path(place) if place and place.startswith("/") else None


def _stray_roots(connection: sqlite3.Connection) -> Iterator[Path]:
    """Yield the folder of each experiment's files that is in a tree of a run."""
    for table, column in _known_columns(connection):
        for _, path in _places(connection, table, column):
            top = next((folder for folder in [path, *path.parents] if folder.parent.name == ARTIFACTS), None)
            if top and TREE.match(str(top)):
                yield top


def _move_files(source: Path, target: Path) -> None:
    files = [path for path in sorted(source.rglob("*")) if not path.is_dir()]
    pairs = [(path, target / path.relative_to(source)) for path in files]
    if taken := next((new for _, new in pairs if new.exists() or new.is_symlink()), None):
        raise ConfigError(f"{taken} has the place of a file of the registry's in {source}; move it elsewhere first")
    for path, new in pairs:
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, new)


def _rewrite(connection: sqlite3.Connection, table: str, column: str, old: Path, new: Path) -> None:
    for place, path in _places(connection, table, column):
        if path.is_relative_to(old):
            moved = new / path.relative_to(old)
            record = moved.as_uri() if place.startswith("file:") else str(moved)
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (record, place))


def _remove_empty(root: Path) -> None:
    for folder in sorted([root, *root.rglob("*")], reverse=True):
        with suppress(OSError):  # it has files that came meanwhile
            folder.rmdir()
