"""Reading of the journal, as lazy frames: Parquet of days past, lines of today."""

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import orjson
import polars as pl
from polars.io.plugins import register_io_source
from prefect_dvc.core.errors import DataContractError

from gazette.core import files, tables
from gazette.serving.journal import layout
from gazette.serving.journal.layout import Segment
from gazette.serving.journal.records import hour_of

SCHEMA: dict[str, pl.DataType] = {
    "hour": pl.Datetime("us", "UTC"),
    "digest": pl.String(),
    "id": pl.String(),
    "label": pl.String(),
    "probabilities": pl.List(pl.Float32),
    "tokens": pl.UInt32(),
    "unknown": pl.Float32(),
    "language": pl.String(),
    "milliseconds": pl.Float32(),
    "source": pl.String(),
}
TEXTS: dict[str, pl.DataType] = {"id": pl.String(), "hour": pl.Datetime("us", "UTC"), "text": pl.String()}
BLOCK = 16 << 20  # bytes of lines that are parsed at once


def scan(folder: Path, since: datetime | None = None, until: datetime | None = None) -> pl.LazyFrame:
    """Return the records from `since` to before `until`, ordered by hour and within one as they came.

    What is written after this call is not among them. Lines that are no records are left out.
    """
    while True:
        segments, _ = layout.split_replaced(layout.list_segments(folder))
        within = [segment for segment in segments if _may_have(segment, since, until)]
        with suppress(FileNotFoundError):  # an hour's file has just been closed: it has another name
            days = [scan_day(list(group)) for _, group in groupby(within, lambda segment: segment.day)]
            break
    rows = pl.concat(days) if days else pl.LazyFrame(schema=SCHEMA)
    if since is not None:
        rows = rows.filter(pl.col("hour") >= since)
    return rows if until is None else rows.filter(pl.col("hour") < until)


def labels(folder: Path, digest: str) -> list[str]:
    """Return the labels of a bundle in the order of its probabilities; raises DataContractError if there are none."""
    path = folder / layout.LABELS / f"{digest}.json"
    if not path.is_file():
        raise DataContractError(f"{path}: no such file; the journal has no labels of the bundle {digest}")
    names: list[str] = files.read_json(path)["labels"]
    return names


def texts(folder: Path) -> pl.DataFrame:
    """Return the texts of the sample, masked, with the ids of their records, ordered by hour, each once."""
    frames: list[pl.DataFrame] = []
    for segment in layout.list_segments(folder, layout.TEXTS):
        with suppress(FileNotFoundError), segment.path.open("rb") as file:
            frames += _parse(_blocks(file, segment.size), TEXTS)
    rows = pl.concat([pl.DataFrame(schema=TEXTS), *frames]).unique(maintain_order=True)
    return rows.sort("hour", maintain_order=True)


def to_moment(hour: pl.Expr) -> pl.Expr:
    """Return hours as records have them (`2026-11-29T14`) as moments in UTC."""
    return pl.format("{}:00", hour).str.to_datetime("%Y-%m-%dT%H:%M", time_unit="us", time_zone="UTC")


def _may_have(segment: Segment, since: datetime | None, until: datetime | None) -> bool:
    first, last = f"{segment.day}T{segment.hour or '00'}", f"{segment.day}T{segment.hour or '23'}"
    return (since is None or last >= hour_of(since)) and (until is None or first <= hour_of(until))


def scan_day(segments: list[Segment]) -> pl.LazyFrame:
    """Return the records of a day's files, ordered by hour."""
    rows = pl.concat([scan_segment(segment) for segment in segments])
    late = len(segments) > 1 and not segments[0].hour  # records that came after their day was compacted
    return rows.sort("hour", maintain_order=True) if late else rows


def scan_segment(segment: Segment) -> pl.LazyFrame:
    """Return the records of a file as it is now; raises FileNotFoundError if it has another name by now."""
    if segment.path.suffix == ".parquet":
        return tables.scan_parquet(segment.path, schema=SCHEMA)
    file = segment.path.open("rb")  # which stays the same, whatever its name becomes
    size = os.fstat(file.fileno()).st_size

    def source(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch: int | None
    ) -> Iterator[pl.DataFrame]:
        for frame in _parse(_blocks(file, size), SCHEMA):
            chosen = frame if predicate is None else frame.filter(predicate)
            chosen = chosen.head(rows) if rows is not None else chosen
            yield chosen.select(columns) if columns is not None else chosen
            rows = rows if rows is None else rows - chosen.height
            if rows == 0:
                return

    return register_io_source(source, schema=SCHEMA)


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the file's whole lines; the end of a line that is being written, or never was, is left out."""
    rest = b""
    for start in range(0, size, BLOCK):
        block = os.pread(file.fileno(), min(BLOCK, size - start), start)
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
        rest = block[end:] if end else rest + block


def _parse(blocks: Iterable[bytes], schema: dict[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    lines = schema | {"hour": pl.String()}
    hour = to_moment(pl.col("hour"))
    for block in blocks:
        try:
            frame = pl.read_ndjson(io.BytesIO(block), schema=lines)
        except pl.exceptions.PolarsError:  # a damaged disk, or a line of somebody else's
            whole = b"".join(line for line in block.splitlines(keepends=True) if _is_record(line, schema))
            frame = pl.read_ndjson(io.BytesIO(whole), schema=lines) if whole else pl.DataFrame(schema=lines)
        yield frame.with_columns(hour)


def _is_record(line: bytes, schema: dict[str, pl.DataType]) -> bool:
    try:
        record = orjson.loads(line)
    except ValueError:
        return False
    return isinstance(record, dict) and record.keys() == set(schema)
