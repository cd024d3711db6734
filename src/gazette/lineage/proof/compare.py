"""Compare two runs: which stage and file differ first, and by how much. Locks in, differences out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from prefect_dvc import flatten

from gazette.core import files, tables
from gazette.pipeline import dvclock

Lock = Mapping[str, Any]  # the stages of a `dvc.lock`


@dataclass(frozen=True)
class StageDifference:
    """A difference from the record: an output, a dependency, a param or the command of a stage, or the stage itself."""

    stage: str
    kind: str
    name: str
    recorded: Any
    actual: Any
    by: tuple[str, ...] = ()  # how much, if that can be measured

    def __str__(self) -> str:
        much = f": {'; '.join(self.by)}" if self.by else ""
        return f"{self.stage}, {self.kind} {self.name}: recorded {self.recorded}, got {self.actual}{much}"


def first_difference(recorded: Lock, actual: Lock, stages: list[str]) -> list[StageDifference]:
    """Return the differences of the first of `stages`, in the order in which they run, that is not as recorded."""
    for stage in stages:
        if stage not in recorded or stage not in actual:
            state = ("recorded", "not made") if stage in recorded else ("not recorded", "made")
            return [StageDifference(stage, "stage", stage, *state)]
        if changes := list(dvclock.diff_stages(recorded[stage], actual[stage])):
            return [StageDifference(stage, *change) for change in changes]
    return []


def local_outputs(pipeline: Lock) -> set[str]:
    """Return the outputs in `dvc.yaml` that belong to a single clone, such as a registry's receipt."""
    outs = [out for stage in pipeline.values() for out in stage.get("outs", []) if isinstance(out, dict)]
    return {path for out in outs for path, options in out.items() if options.get("persist")}


def measure_difference(recorded: Path, actual: Path) -> tuple[str, ...]:
    """Return the files in which two outputs, files or folders, differ, with the largest numeric difference of each."""
    if recorded.is_dir() or actual.is_dir():
        names = {path.relative_to(side).as_posix() for side in (recorded, actual) for path in side.rglob("*")}
        pairs = [(name, recorded / name, actual / name) for name in sorted(names)]
    else:
        pairs = [(actual.name, recorded, actual)]
    return tuple(f"{name} {difference}" for name, a, b in pairs if (difference := _file_difference(a, b)))


def _file_difference(recorded: Path, actual: Path) -> str:
    if recorded.is_dir() or actual.is_dir():
        return ""
    if not recorded.exists() or not actual.exists():
        return "is new" if actual.exists() else "is missing"
    if recorded.read_bytes() == actual.read_bytes():
        return ""
    read = _READERS.get(actual.suffix)
    if read is None:
        return f"differs, {recorded.stat().st_size:,} bytes and {actual.stat().st_size:,}"
    before, after = read(recorded), read(actual)
    if before.keys() != after.keys():
        return f"holds other values: {', '.join(sorted(map(str, before.keys() ^ after.keys()))[:3])}"
    distances = {name: _distance(before[name], after[name]) for name in before}
    differing = {name: distance for name, distance in distances.items() if distance != 0}
    if not differing:
        return "holds the same values in other bytes"
    furthest = max(differing, key=lambda name: differing[name])
    return f"differs in {len(differing)} of {len(before)} places, by {differing[furthest]:.2g} in {furthest}"


def _distance(before: Any, after: Any) -> float:
    """Return the largest difference of two numbers or arrays of one shape; infinity if they cannot be subtracted."""
    import numpy as np

    a, b = np.asarray(before), np.asarray(after)
    if a.shape == b.shape and a.dtype.kind in "biuf" and b.dtype.kind in "biuf":
        same = (a == b) | ((a != a) & (b != b))
        return float(np.where(same, 0, np.abs(a.astype(np.float64) - b.astype(np.float64))).max(initial=0))
    return 0.0 if np.array_equal(a, b) else float("inf")


def _read_columns(table: pl.DataFrame) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for column in table:
        if isinstance(column.dtype, pl.List | pl.Array) and column.dtype.inner.is_numeric():
            columns[column.name] = column.explode().to_numpy()
        else:
            columns[column.name] = column.to_numpy() if column.dtype.is_numeric() else column.to_list()
    return columns


def _read_hdf5(path: Path) -> dict[str, Any]:
    import h5py

    arrays: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return arrays


_READERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    ".json": lambda path: flatten.flatten(files.read_json(path), lists=True),
    ".parquet": lambda path: _read_columns(tables.read_parquet(path)),
    ".csv": lambda path: _read_columns(tables.read_csv(path)),
    ".h5": _read_hdf5,
}
