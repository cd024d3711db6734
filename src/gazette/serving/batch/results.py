"""The folder of results: which files in it are ours, and their removal."""

import re
import shutil
from pathlib import Path
from typing import Any

from prefect_dvc import hashing
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

from gazette.core import files
from gazette.pipeline import ownership
from gazette.pipeline.ownership import Marker
from gazette.serving.batch.journaling import REQUEST
from gazette.serving.batch.parts import BUNDLE, MANIFEST, PART, PLAN, QUARANTINE, RUN, STAGED

COMMAND = "score"
LOCK = ".lock"
FIXED = [LOCK, MANIFEST, PLAN, QUARANTINE, RUN, STAGED]
_STAGED_PART = re.compile(r"\d{5,}\.parquet")
# The keys of a plan, by which results of an earlier Gazette are known.
_PLAN = {"input", "model", "options", "gazette", "version", "rows", "quarantined", "notes", "parts"}


def check_ours(folder: Path) -> None:
    """Raise ConfigError if a folder has a file that no scoring wrote; its name alone proves nothing."""
    ownership.check_folder(folder)
    if not folder.exists():
        return
    marker = _marker(folder)
    stranger = ownership.find_stranger(folder, marker) or _stranger_inside(folder)
    if stranger and not (marker is None and stranger == LOCK and _is_fresh(folder)):
        raise ConfigError(
            f"{folder} has {stranger}, which is not a result of scoring: no file {ownership.MARKER} there says that a "
            "run wrote it; choose an empty folder"
        )


def mark(folder: Path) -> None:
    """Mark a folder as one of results, unless it is; the caller holds its lock."""
    if ownership.read_marker(folder) is None:
        earlier = _earlier_marker(folder)
        ownership.write_marker(folder, COMMAND, earlier.files if earlier else FIXED)


def claim_parts(folder: Path, count: int) -> None:
    """List the parts in the marker, before any is written."""
    if marker := ownership.read_marker(folder):
        ownership.add_files(folder, marker, [PART.format(number) for number in range(count)])


def remove(folder: Path) -> None:
    """Remove all results in a folder, and begin those of another run; the manifest first, never the lock.

    Raises ConfigError, and removes nothing, if a part was changed after it was written.
    """
    marker = ownership.read_marker(folder)
    check_unchanged(folder)
    for name in (MANIFEST, PLAN, *sorted(entry.name for entry in folder.iterdir())):
        if name == STAGED:
            remove_staged(folder)
        elif marker and marker.owns(name) and name not in (LOCK, ownership.MARKER):
            atomic.remove(folder / name)
    ownership.write_marker(folder, COMMAND, FIXED)


def check_unchanged(folder: Path) -> None:
    """Raise ConfigError if a part is not as the manifest records it, as after a copy that was cut off."""
    for path, sha256 in _recorded_parts(folder):
        if path.exists() and hashing.hash_file(path) != sha256:
            raise ConfigError(f"{path} was changed after it was scored; move it elsewhere, or choose another folder")


def remove_staged(folder: Path) -> None:
    """Remove what is not needed once the manifest exists."""
    shutil.rmtree(folder / STAGED, ignore_errors=True)
    for path in folder.iterdir():
        if atomic.final_name(path.name):
            path.unlink()


def read_record(path: Path) -> dict[str, Any]:
    """Read a plan or a manifest; raises ConfigError if it is damaged, as after a loss of power."""
    if record := _read(path):
        return record
    raise ConfigError(f"{path} is no JSON as a scoring writes it; `gazette score --force` scores everything again")


def _marker(folder: Path) -> Marker | None:
    marker = ownership.read_marker(folder)
    return marker if marker and marker.gazette == COMMAND else _earlier_marker(folder)


def _is_fresh(folder: Path) -> bool:
    """Whether an unmarked folder has nothing but the lock of a run that is beginning, or was killed then."""
    others = [path.name for path in folder.iterdir() if atomic.final_name(path.name) != ownership.MARKER]
    lock = folder / LOCK
    return others == [LOCK] and lock.is_file() and not lock.is_symlink() and lock.stat().st_size == 0


def _stranger_inside(folder: Path) -> str | None:
    """Return a folder in the place of a file, or what is in the folder of staged articles and was not staged."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() != (path.name == STAGED):
            return path.name
    inside = sorted(path.name for path in (folder / STAGED).glob("*"))
    return next(
        (f"{STAGED}/{name}" for name in inside if name not in (BUNDLE, REQUEST) and not _STAGED_PART.fullmatch(name)),
        None,
    )


def _earlier_marker(folder: Path) -> Marker | None:
    """Return the marker that results of an earlier Gazette would have, known by the hashes that they record."""
    plan = _read(folder / PLAN)
    if plan.keys() != _PLAN or (folder / ownership.MARKER).exists():
        return None
    staged = folder / STAGED / BUNDLE
    if _read(folder / MANIFEST).get("input") == plan["input"]:
        parts = [path.name for path, sha256 in _recorded_parts(folder) if _has_hash(path, sha256)]
    elif staged.is_dir() and hashing.dvc_hash(staged) == plan["model"]["digest"]:
        parts = [PART.format(number) for number in range(plan["parts"])]
    else:
        return None
    return Marker(COMMAND, "", "", [*FIXED, *parts])


def _recorded_parts(folder: Path) -> list[tuple[Path, str]]:
    """Return the parts that the manifest names, with their hashes."""
    return [(folder / part["file"], part["sha256"]) for part in _read(folder / MANIFEST).get("parts", [])]


def _has_hash(path: Path, sha256: str) -> bool:
    return path.is_file() and hashing.hash_file(path) == sha256


def _read(path: Path) -> dict[str, Any]:
    """Read a record; an empty one if there is none, or if the file is not one of ours."""
    if not path.is_file():
        return {}
    try:
        record = files.read_json(path)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
