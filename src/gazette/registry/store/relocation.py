"""Make a registry in a database name the files of its own project, and move there what a run would remove.

Writes MLflow's database directly: its client cannot change a path.
"""

import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

from prefect_dvc.core.errors import ConfigError

from gazette.registry.store import locations


def relocate(database: Path, to: Path) -> list[tuple[Path, Path]]:
    """Move what a database keeps in trees of runs to `to`/mlruns, and return the folders moved from and to.

    Paths into another project's mlruns, or into this project's former place, are rewritten; those files stay where they
    are.
    A file is moved before its new path is recorded, so a killed call is finished by the next. Raises ConfigError if
    another file has the place of one that is to be moved; then no path is changed.
    """
    home = to.absolute() / locations.ARTIFACTS
    with locations.open_database(database) as connection, connection:
        strays = [(root, home / root.name) for root in locations.list_stray_roots(connection)]
        for source, target in strays:
            _move_files(source, target)
        moves = strays + [(folder, home) for folder in locations.list_foreign(connection, home, database.name)]
        for source, target in [*moves, (home, home)]:  # the last, for paths that MLflow takes for others
            _record(connection, source, target)
    for source, _ in strays:
        _remove_empty(source)
    return moves


def _record(connection: sqlite3.Connection, source: Path, target: Path) -> None:
    for table, column in locations.list_columns(connection):
        _rewrite(connection, table, column, source, target)


def _move_files(source: Path, target: Path) -> None:
    files = [path for path in sorted(source.rglob("*")) if not path.is_dir()]
    pairs = [(path, target / path.relative_to(source)) for path in files]
    if taken := next((new for _, new in pairs if new.exists() or new.is_symlink()), None):
        raise ConfigError(f"{taken} has the place of a file of the registry's in {source}; move it elsewhere first")
    for path, new in pairs:
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, new)


def _rewrite(connection: sqlite3.Connection, table: str, column: str, old: Path, new: Path) -> None:
    for place, path in locations.list_places(connection, table, column):
        if path.is_relative_to(old):
            moved = new / path.relative_to(old)
            quoted = place.startswith("file:") or locations.is_misread(str(moved))
            record = moved.as_uri() if quoted else str(moved)
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (record, place))


def _remove_empty(root: Path) -> None:
    for folder in sorted([root, *root.rglob("*")], reverse=True):
        with suppress(OSError):  # it has files that came meanwhile
            folder.rmdir()
