"""Removing a corpus: its description, its raw files and their pointer, if these are what the pointer records."""

import os
from pathlib import Path

from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

from gazette.core import pointers
from gazette.data.paths import DESCRIPTIONS, RAW
from gazette.pipeline import recorded


def check_removable(name: str) -> None:
    """Raise ConfigError if the raw files of a corpus are not those that its pointer records."""
    _, raw, pointer = list_paths(name)
    if not raw.exists() or raw.is_symlink():
        return
    if not pointer.exists():
        raise ConfigError(f"{raw} is not under DVC, so nothing says whose files these are; remove it yourself")
    if path := recorded.find_unrecorded(raw, pointers.read_hash(pointer)):
        raise ConfigError(
            f"{path} is not as {pointer} records, so nothing is removed; move it elsewhere, or `dvc add {raw}` records "
            "all of it"
        )


def remove_corpus(name: str) -> list[Path]:
    """Remove description, raw files and pointer of a corpus; returns what was removed.

    Raises ConfigError, and removes nothing, if the raw files are not those that the pointer records.
    """
    check_removable(name)
    removed = [path for path in reversed(list_paths(name)) if os.path.lexists(path)]
    for path in removed:
        atomic.remove(path)
    return removed


def list_paths(name: str) -> list[Path]:
    """List the description, the raw files and the pointer of a corpus, whether they exist or not."""
    return [DESCRIPTIONS / f"{name}.yaml", RAW / name, RAW / f"{name}.dvc"]
