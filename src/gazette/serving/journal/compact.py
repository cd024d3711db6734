"""Compaction: the files of a day past become one Parquet file."""

import json
import time
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from prefect_dvc.core import atomic

from gazette.serving.journal import layout, read
from gazette.serving.journal.layout import Segment

GRACE_SECONDS = 600  # files that were replaced stay for so long, for whoever began to read them
ROWS = 100_000  # of a row group


def compact(folder: Path, now: datetime) -> list[Path]:
    """Write a Parquet file for every day before that of `now` that has others, and return them.

    A kill at any moment loses nothing and counts nothing twice: the new file says which ones it replaces. The caller
    holds the journal's lock.
    """
    remove_replaced(folder, GRACE_SECONDS)
    today = f"{now.astimezone(UTC):%Y-%m-%d}"
    for segment in layout.list_segments(folder):
        if segment.is_open and segment.day < today:
            layout.close(segment.path)
    counting, _ = layout.split_replaced(layout.list_segments(folder))
    closed = [segment for segment in counting if not segment.is_open]  # another may have been opened just now
    days = [list(group) for _, group in groupby(closed, lambda segment: segment.day)]
    return [_merge(day) for day in days if day[0].day < today and (len(day) > 1 or day[0].hour)]


def _merge(segments: list[Segment]) -> Path:
    """Write the records of a day as one file, in a stream: memory does not grow with the day."""
    path = segments[0].path
    to = path.with_name(layout.closed_name(segments[0].day, ".parquet"))
    names = [name for segment in segments for name in (*layout.merged_names(segment), segment.path.name)]
    with atomic.atomic_path(to) as partial:
        read.scan_day(segments).sink_parquet(
            partial, row_group_size=ROWS, metadata={layout.MERGED: json.dumps(names)}, engine="streaming"
        )
    return to


def remove_replaced(folder: Path, seconds: float) -> None:
    """Remove files that were replaced at least so many seconds ago; a day's file last, since it names others."""
    _, replaced = layout.split_replaced(segments := layout.list_segments(folder))
    since = {name: segment.path.stat().st_mtime for segment in segments for name in layout.merged_names(segment)}
    for segment in sorted(replaced, key=lambda segment: not segment.hour):
        if since[segment.path.name] <= time.time() - seconds:
            segment.path.unlink()
