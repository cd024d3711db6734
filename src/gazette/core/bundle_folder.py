"""The folder of a bundle, written atomically and replaced only if it holds a bundle."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

_BUNDLE_FILE = re.compile(r"bundle\.json|model\.onnx|weights\.h5|([\w-]+\.)?tokenizer\.json")


def stranger_in_bundle(folder: Path) -> Path | None:
    """Return what is in the place of a bundle and no part of one: a file that no bundle has, or the place itself."""
    if not folder.is_dir() or folder.is_symlink():
        return folder if folder.exists() or folder.is_symlink() else None
    names = sorted(path.name for path in folder.iterdir())
    return next((folder / name for name in names if not _BUNDLE_FILE.fullmatch(name)), None)


def check_bundle(folder: Path) -> None:
    """Raise ConfigError if a folder that is to be replaced holds more than a bundle."""
    if stranger := stranger_in_bundle(folder):
        raise ConfigError(f"{stranger} is no part of a bundle, and {folder} is to be replaced; move it elsewhere")


@contextmanager
def atomic_bundle(path: Path) -> Iterator[Path]:
    """Yield a new temporary folder beside `path` and rename it to `path`, which may hold an earlier bundle.

    Raises ConfigError, and changes nothing, if that folder holds more than a bundle.
    """
    check_bundle(path)
    partial = atomic.temporary_path(path)
    partial.mkdir(parents=True)
    try:
        yield partial
        check_bundle(path)
        atomic.remove(path)
        partial.rename(path)
    finally:
        atomic.remove(partial)  # if it still exists
