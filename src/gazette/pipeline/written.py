"""Files that a command writes where its user says: replaced only if they are as Gazette wrote them."""

from collections.abc import Callable
from pathlib import Path

from prefect_dvc import hashing
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

from gazette.core import files
from gazette.pipeline import ownership, state

RECORD = "written.json"  # in `.gazette`: the SHA-256 of each file as it was written, by its absolute path


def check_replaceable(path: Path, is_ours: Callable[[bytes], bool] = lambda content: False) -> None:
    """Raise ConfigError if there is anything at `path` but an empty file, or one as an earlier command wrote it.

    `is_ours` recognizes content that only Gazette writes.
    """
    ownership.check_folder(path.parent)
    if not path.exists() and not path.is_symlink():
        return
    if path.is_file() and not path.is_symlink():
        content = path.read_bytes()
        if (
            not content
            or state.read_state(Path(), RECORD).get(str(path.absolute())) == hashing.hash_file(path)
            or is_ours(content)
        ):
            return
    raise ConfigError(
        f"{path} exists and is not as Gazette wrote it, so it is not replaced; move it, or choose another file"
    )


def record(path: Path) -> None:
    """Record that the file at `path` is as Gazette wrote it."""
    known = state.read_state(Path(), RECORD) | {str(path.absolute()): hashing.hash_file(path)}
    files.write_json(state.state_folder(Path()) / RECORD, dict(sorted(known.items())))


def write_text(path: Path, text: str) -> None:
    """Write a text to a file that is new or as Gazette wrote it, and record it."""
    check_replaceable(path)
    atomic.write_text(path, text)
    record(path)
