"""Writing to the journal: lines of several processes at once, and tables of a scoring."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from prefect_dvc.core import atomic

from gazette.core import files
from gazette.pipeline import lines
from gazette.serving.journal import layout
from gazette.serving.journal.records import Prediction

if TYPE_CHECKING:
    import polars as pl

MAX_BYTES = 64 << 20  # of an hour's file; then the next one begins, and a reader never has to hold more than one
_HOUR = re.compile(r"\d{4}-\d\d-\d\dT\d\d")


def append(folder: Path, records: Iterable[Prediction]) -> None:
    """Append records to the files of their hours, those of one hour in one write; they are safe once this returns.

    Raises OSError, and leaves the file of that hour as it was, if the disk is full.
    """
    by_hour = defaultdict(list)
    for record in records:
        by_hour[record.hour].append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
    for hour, parts in by_hour.items():
        append_lines(layout.open_path(folder, check_hour(hour)), b"".join(parts))


def check_hour(hour: str) -> str:
    """Return an hour, which becomes the name of a file; raises ValueError if it is none."""
    if not _HOUR.fullmatch(hour):
        raise ValueError(f"hour {hour!r}: expected one such as 2026-11-29T14")
    return hour


def append_lines(path: Path, content: bytes) -> None:
    """Append whole lines to a file, which is closed once it is large, in one write."""
    if _append(path, content) > MAX_BYTES:
        layout.close(path)


def _append(path: Path, content: bytes) -> int:
    try:
        return lines.append(path, content)
    except FileNotFoundError:
        make_folder(path.parent)
        return lines.append(path, content)


def make_folder(folder: Path) -> None:
    """Make a folder of the journal that only its owner can read."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def write_table(folder: Path, hour: str, part: str, table: "pl.DataFrame") -> None:
    """Write records of one hour as a Parquet file of this name, atomically; equal names replace each other.

    So a part of a scoring that is scored again after a kill is in the journal once.
    """
    make_folder(folder / layout.RECORDS)
    with atomic.atomic_path(folder / layout.RECORDS / f"{check_hour(hour)}.{part}.parquet") as partial:
        table.write_parquet(partial)


def write_labels(folder: Path, digest: str, labels: Sequence[str]) -> None:
    """Write the labels of a bundle in the order of its probabilities, unless they are there."""
    path = folder / layout.LABELS / f"{digest}.json"
    if not path.exists():
        make_folder(path.parent)
        files.write_json(path, {"labels": list(labels)})
