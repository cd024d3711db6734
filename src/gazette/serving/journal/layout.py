"""Where the journal's files are, and which of them count.

All append to an hour's file, `records/2026-11-29T14.jsonl`; closed, it is `2026-11-29T14.1795961234567890123.jsonl`. A
scoring writes a file per part, `2026-11-29T14.score-5d41402abc4b-00003.parquet`. Compaction writes a file per day,
`2026-11-29.1795961234567890123.parquet`, whose metadata lists the files that it replaces: they do not count from then
on, though they stay for a while for whoever reads them. The order of names is that of time.
"""

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gazette.pipeline import lines

RECORDS, TEXTS, LABELS, KEY, LOCK = "records", "texts", "labels", "key", "lock"
MERGED = "merged"  # key of a day's Parquet file: the names that it replaces
_NAME = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)(?:T(?P<hour>\d\d))?(?:\.(?P<part>[\w-]+))?\.(?:jsonl|parquet)")


@dataclass(frozen=True)
class Segment:
    """A file of an hour, or of a day if `hour` is empty; `part` is empty while lines may be appended to it."""

    path: Path
    day: str
    hour: str
    part: str

    @property
    def is_open(self) -> bool:
        """Whether lines may still be appended to it."""
        return not self.part

    @property
    def size(self) -> int:
        """Its bytes; none if another process has just closed or removed it."""
        with suppress(FileNotFoundError):
            return self.path.stat().st_size
        return 0

    @property
    def order(self) -> tuple[str, str, bool, str]:
        """Its place in time: a day's file first, then hour by hour, what is appended to last."""
        return self.day, self.hour, self.is_open, self.part


@lru_cache(64)  # a path that was used knows its name: a third of the time of a record
def open_path(folder: Path, hour: str) -> Path:
    """Return the file to which records of an hour are appended."""
    return folder.joinpath(RECORDS, f"{hour}.jsonl")


def closed_name(stem: str, suffix: str) -> str:
    """Return a new name of a file that does not change any more."""
    return f"{stem}.{time.time_ns()}{suffix}"


def close(path: Path) -> Path | None:
    """Close a file and return its new name; who wants to append to it begins a new one.

    Returns None if another process has closed it.
    """
    to = path.with_name(closed_name(path.stem, path.suffix))
    with suppress(FileNotFoundError):
        lines.close(path, to)
        return to
    return None


def list_segments(folder: Path, place: str = RECORDS) -> list[Segment]:
    """List all files of records in order of time, also those that were replaced."""
    matches = [(path, _NAME.fullmatch(path.name)) for path in (folder / place).glob("*")]
    segments = [
        Segment(path, match["day"], match["hour"] or "", match["part"] or "") for path, match in matches if match
    ]
    return sorted(segments, key=lambda segment: segment.order)


def merged_names(segment: Segment) -> list[str]:
    """Return the names of the files that a day's file replaces; none if it is no day's file."""
    if segment.hour or segment.path.suffix != ".parquet":
        return []
    import polars as pl  # a server only writes

    names: list[str] = json.loads(pl.read_parquet_metadata(segment.path)[MERGED])
    return names


def split_replaced(segments: list[Segment]) -> tuple[list[Segment], list[Segment]]:
    """Return the segments that count, and those that a day's file has replaced."""
    replaced = {name for segment in segments for name in merged_names(segment)}
    counting = [segment for segment in segments if segment.path.name not in replaced]
    return counting, [segment for segment in segments if segment.path.name in replaced]
