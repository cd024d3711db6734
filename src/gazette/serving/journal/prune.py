"""Bounds of the journal: by age and by size on the disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect_dvc import locks
from prefect_dvc.core.errors import ConfigError

from gazette.serving.journal import compact, layout
from gazette.serving.journal.layout import RECORDS, TEXTS, Segment
from gazette.serving.journal.params import Params


@dataclass(frozen=True)
class Tidied:
    """The Parquet files that were written, the files that were removed, and the bytes that are left."""

    compacted: list[str]
    removed: list[str]
    bytes: int


def tidy(folder: Path, params: Params, now: datetime) -> Tidied:
    """Compact days past, then remove what is too old and, the oldest first, what is too much.

    Raises ConfigError if another process does so now.
    """
    if not folder.is_dir():
        return Tidied([], [], 0)
    with locks.file_lock(folder / layout.LOCK, f"{folder}: another process tidies it", seconds=0):
        compacted = compact.compact(folder, now)
        removed = _remove_old(folder, params, now) + _remove_excess(folder, params.journal_megabytes * 1_000_000)
        return Tidied([path.name for path in compacted], [path.name for path in removed], size(folder))


def try_tidy(folder: Path, params: Params) -> None:
    """Tidy the journal, unless another process does so now."""
    try:
        tidy(folder, params, datetime.now(UTC))
    except ConfigError:
        return


def list_old(folder: Path, before: datetime) -> list[Path]:
    """Return the files of records and texts of days before that of a moment."""
    day = f"{before.astimezone(UTC):%Y-%m-%d}"
    return [segment.path for place in (RECORDS, TEXTS) for segment in _list(folder, place) if segment.day < day]


def remove(folder: Path, before: datetime, paths: Sequence[Path]) -> None:
    """Remove those of these files that are still old; raises ConfigError if another process tidies the journal."""
    if paths:
        with locks.file_lock(folder / layout.LOCK, f"{folder}: another process tidies it", seconds=0):
            old = {*list_old(folder, before)} & {*paths}
            for segment in [segment for place in (RECORDS, TEXTS) for segment in _list(folder, place)]:
                if segment.path in old:
                    _remove(segment)


def size(folder: Path) -> int:
    """Return the bytes of records and texts."""
    return sum(segment.size for place in (RECORDS, TEXTS) for segment in _list(folder, place))


def _list(folder: Path, place: str) -> list[Segment]:
    return layout.list_segments(folder, place)


def _remove_old(folder: Path, params: Params, now: datetime) -> list[Path]:
    days = {RECORDS: params.journal_days, TEXTS: params.text_days if params.sample else 0}
    oldest = {place: f"{now.astimezone(UTC) - timedelta(days=count):%Y-%m-%d}" for place, count in days.items()}
    old = [segment for place in days for segment in _list(folder, place) if segment.day < oldest[place]]
    return [segment.path for segment in old if _remove(segment)]


def _remove_excess(folder: Path, limit: int) -> list[Path]:
    """Remove the oldest files until the others have at most `limit` bytes."""
    excess, removed = size(folder) - limit, []
    if excess > 0:
        compact.remove_replaced(folder, 0)
        excess = size(folder) - limit
    for segment in sorted((*_list(folder, RECORDS), *_list(folder, TEXTS)), key=lambda segment: segment.order):
        if excess <= 0:
            break
        excess -= segment.size
        if _remove(segment):
            removed.append(segment.path)
    return removed


def _remove(segment: Segment) -> bool:
    """Remove a file; one that others append to is closed first, so that none of them writes into nothing."""
    path = layout.close(segment.path) if segment.is_open else segment.path
    if path:
        path.unlink()
    return bool(path)
