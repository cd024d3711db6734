"""Proof that files in a folder are ours: a marker that names the run that wrote them and lists them.

Fixed names such as `part-00000.parquet` prove nothing, since other tools use them too. What the marker does not list
belongs to somebody else and is never written, moved or removed.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

MARKER = "_gazette"  # readers of Parquet folders skip names that begin with `_`


@dataclass(frozen=True)
class Marker:
    """The command whose results a folder holds, the run that began them (random), when, and the names it owns."""

    gazette: str
    run: str
    began: str
    files: list[str]

    def owns(self, name: str) -> bool:
        """Whether the name is the marker's, one that it lists, or the temporary one of either."""
        return (atomic.final_name(name) or name) in (MARKER, *self.files)


def read_marker(folder: Path) -> Marker | None:
    """Return the marker of a folder; None if it has none, or if the file of that name is somebody else's."""
    path = folder / MARKER
    if path.is_symlink() or not path.is_file():
        return None
    try:
        marker = Marker(**json.loads(path.read_text(encoding="utf-8")))
        ours = bool(re.fullmatch(r"[0-9a-f]{32}", marker.run)) and all(isinstance(name, str) for name in marker.files)
    except (ValueError, TypeError):  # not UTF-8, not JSON, other keys
        return None
    return marker if ours else None


def write_marker(folder: Path, command: str, files: Iterable[str]) -> Marker:
    """Mark the folder, before any of these files is written, as holding results of a new run of the command."""
    began = datetime.now(UTC).isoformat(timespec="seconds")
    return _write(folder, Marker(command, uuid4().hex, began, list(files)))


def add_files(folder: Path, marker: Marker, files: Iterable[str]) -> Marker:
    """Add names to the marker of a run, before any of these files is written."""
    return _write(folder, Marker(marker.gazette, marker.run, marker.began, [*marker.files, *files]))


def find_stranger(folder: Path, marker: Marker | None) -> str | None:
    """Return the first entry of a folder that the marker does not own; a symlink is nobody's result.

    Without a marker everything is a stranger's, except a marker that is being written.
    """
    for path in sorted(folder.iterdir()):
        known = marker.owns(path.name) if marker else atomic.final_name(path.name) == MARKER
        if not known or path.is_symlink():
            return path.name
    return None


def check_folder(folder: Path) -> None:
    """Raise ConfigError if there is a file in the place of a folder, or of one above it."""
    for path in [folder, *folder.parents]:
        if path.is_dir():
            return
        if path.exists() or path.is_symlink():
            raise ConfigError(f"{path} is not a folder; choose another one")


def _write(folder: Path, marker: Marker) -> Marker:
    atomic.write_text(folder / MARKER, json.dumps(asdict(marker), ensure_ascii=False) + "\n")
    return marker
