"""Records of the parts of a corpus that were inspected, on disk until the stage ends, so that it can resume.

A run takes over the parts that an interrupted one left, as long as their rows, code, packages and settings are equal.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from prefect_dvc.core import atomic

from gazette.core import files

PACKAGE = Path(__file__).parents[2]
LIBRARIES = ("ftfy", "pandera", "phonenumberslite", "polars", "python-stdnum")  # that look at a row
ABOUT = "about.json"
FRAMES = ("invalid", "quarantined", "masked")


class PartRecord(NamedTuple):
    """What is known of a part beside its articles."""

    invalid: pl.DataFrame  # rejects, as all of these
    quarantined: pl.DataFrame
    masked: pl.DataFrame  # the first matches of personal data
    kinds: dict[str, int]  # matches of each kind
    matched: int  # rows with any
    rows: int  # valid ones
    articles: int  # of these, not quarantined


@contextmanager
def interruptible_folder(path: Path) -> Iterator[Path]:
    """Yield a folder, which may hold what an interrupted run left; it stays if this one is interrupted too."""
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield path
    except Exception:
        atomic.remove(path)
        raise
    atomic.remove(path)


class PartRecords:
    """The records of parts, in a folder."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder = folder
        self._number = -1
        self._digest = ""  # of the rows up to here
        self._differs = False  # from what an interrupted run had
        about = {
            "settings": dict(settings),
            "code": _hash_code(),
            "packages": {name: version(name) for name in LIBRARIES},
        }
        if not (folder / ABOUT).exists() or files.read_json(folder / ABOUT) != about:
            for path in folder.iterdir():
                atomic.remove(path)
            files.write_json(folder / ABOUT, about)

    def load(self, table: pl.DataFrame) -> PartRecord | None:
        """Return the record of the next part, if an interrupted run had the same rows up to its end."""
        content = table.write_ipc(None).getbuffer()
        self._number += 1
        self._digest = blake2b(content, key=self._digest.encode(), digest_size=16).hexdigest()
        if self._differs:
            return None
        record = files.read_json(self._path()) if self._path().exists() else {}
        if record.pop("digest", None) != self._digest:
            self._differs = True
            for path in self._folder.glob("[0-9]*.json"):
                if path >= self._path():
                    path.unlink()  # its articles will be overwritten
            return None
        return PartRecord(**record | {name: _to_frame(record[name]) for name in FRAMES})

    def save(self, record: PartRecord) -> None:
        """Write the record of the part that was asked for last; its articles must be on disk."""
        values = {
            name: value.to_dict(as_series=False) if isinstance(value, pl.DataFrame) else value
            for name, value in record._asdict().items()
        }
        files.write_json(self._path(), values | {"digest": self._digest})

    def _path(self) -> Path:
        return self._folder / f"{self._number:06}.json"


def _hash_code() -> str:
    paths = sorted(path for name in ("core", "data") for path in (PACKAGE / name).rglob("*.py"))
    return blake2b(b"".join(path.read_bytes() for path in paths), digest_size=16).hexdigest()


def _to_frame(columns: dict[str, list[Any]]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema={name: pl.Int64 if name == "line" else pl.String for name in columns})
