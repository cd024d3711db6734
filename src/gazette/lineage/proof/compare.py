"""Two runs side by side: which stage and file differ first, and by how much. Locks in, differences out."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from gazette.pipeline import flatten

Lock = Mapping[str, Any]  # the stages of a `dvc.lock`


@dataclass(frozen=True)
class Difference:
    """What of a stage is other than recorded: an output, a dependency, a param, the command; or the stage itself."""

    stage: str
    kind: str
    name: str
    recorded: Any
    found: Any
    by: tuple[str, ...] = ()  # how much, where that could be told

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def __str__(self) -> str:
        much = f": {'; '.join(self.by)}" if self.by else ""
        return f"{self.stage}, {self.kind} {self.name}: recorded {self.recorded}, made {self.found}{much}"


def first(recorded: Lock, found: Lock, stages: list[str]) -> list[Difference]:
    """What differs in the first of `stages`, in the order in which they run, that is not as recorded."""
    for stage in stages:
        if stage not in recorded or stage not in found:
            state = ("recorded", "not made") if stage in recorded else ("not recorded", "made")
            return [Difference(stage, "stage", stage, *state)]
        if differs := list(_entries(stage, recorded[stage], found[stage])):
            return differs
    return []


def _entries(stage: str, recorded: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Difference]:
    if recorded.get("cmd") != found.get("cmd"):
        yield Difference(stage, "command", "", recorded.get("cmd"), found.get("cmd"))
    for change in flatten.differing(recorded.get("params", {}), found.get("params", {})):
        yield Difference(stage, "param", *change)
    for kind, side in (("dependency", "deps"), ("output", "outs")):
        before, after = (
            {entry["path"]: entry.get("md5") for entry in lock.get(side, [])} for lock in (recorded, found)
        )
        for path in sorted(before.keys() | after.keys()):
            if before.get(path) != after.get(path):
                yield Difference(stage, kind, path, before.get(path), after.get(path))


def of_each_clone(pipeline: Lock) -> set[str]:
    """The outputs of stages of `dvc.yaml` that are not carried from clone to clone, such as a registry's receipt."""
    outs = [out for stage in pipeline.values() for out in stage.get("outs", []) if isinstance(out, dict)]
    return {path for out in outs for path, options in out.items() if options.get("persist")}


def by_how_much(recorded: Path, made: Path) -> tuple[str, ...]:
    """The files in which two outputs, files or folders, differ: the largest difference of a number in each."""
    if recorded.is_dir() or made.is_dir():
        names = {path.relative_to(side).as_posix() for side in (recorded, made) for path in side.rglob("*")}
        pairs = [(name, recorded / name, made / name) for name in sorted(names)]
    else:
        pairs = [(made.name, recorded, made)]
    return tuple(f"{name} {said}" for name, one, two in pairs if (said := _in_a_file(one, two)))


def _in_a_file(recorded: Path, made: Path) -> str:
    if recorded.is_dir() or made.is_dir():
        return ""
    if not recorded.exists() or not made.exists():
        return "is new" if made.exists() else "is missing"
    if recorded.read_bytes() == made.read_bytes():
        return ""
    read = _READERS.get(made.suffix)
    if read is None:
        return f"differs, {recorded.stat().st_size:,} bytes and {made.stat().st_size:,}"
    one, two = read(recorded), read(made)
    if one.keys() != two.keys():
        return f"holds other values: {', '.join(sorted(map(str, one.keys() ^ two.keys()))[:3])}"
    apart = {name: _distance(one[name], two[name]) for name in one if _distance(one[name], two[name]) != 0}
    if not apart:
        return "holds the same values in other bytes"
    furthest = max(apart, key=lambda name: apart[name])
    return f"differs in {len(apart)} of {len(one)} places, by {apart[furthest]:.2g} in {furthest}"


def _distance(one: Any, two: Any) -> float:
    """Of two numbers or arrays of one shape, the largest difference; what cannot be subtracted is infinitely far."""
    import numpy as np

    a, b = np.asarray(one), np.asarray(two)
    if a.shape == b.shape and a.dtype.kind in "biuf" and b.dtype.kind in "biuf":
        same = (a == b) | ((a != a) & (b != b))
        return float(np.where(same, 0, np.abs(a.astype(np.float64) - b.astype(np.float64))).max(initial=0))
    return 0.0 if np.array_equal(a, b) else float("inf")


def _json(path: Path) -> dict[str, Any]:
    return flatten.leaves(json.loads(path.read_text(encoding="utf-8")), lists=True)


def _parquet(path: Path) -> dict[str, Any]:
    return _columns(pl.read_parquet(path))


def _csv(path: Path) -> dict[str, Any]:
    return _columns(pl.read_csv(path))


def _columns(table: pl.DataFrame) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in table:
        if isinstance(column.dtype, pl.List | pl.Array) and column.dtype.inner.is_numeric():
            found[column.name] = column.explode().to_numpy()
        else:
            found[column.name] = column.to_numpy() if column.dtype.is_numeric() else column.to_list()
    return found


def _hdf5(path: Path) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


_READERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    ".json": _json,
    ".parquet": _parquet,
    ".csv": _csv,
    ".h5": _hdf5,
}
