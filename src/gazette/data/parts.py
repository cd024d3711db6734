"""Rows on disk in parts, of which few are in memory; `row` numbers them in the order in which they were appended."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from gazette.core import tables
from gazette.core.arrays import Array

PLACE = ("split", "file", "line")


class Parts:
    """A table in several files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starts = [0]
        self._ends: list[tuple[tuple[str, str, int], ...]] = []  # the first and the last place in each part
        self._are_sorted = True

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self._starts[-1]

    def append(self, table: pl.DataFrame) -> None:
        """Append rows of one split; the first part, which has the schema, may be empty."""
        if table.is_empty() and self._ends:
            return
        table.write_parquet(self._path(len(self._ends)))
        self._add(table.select(PLACE))

    def adopt(self, rows: int) -> None:
        """Append the rows that another run appended in the same place, and left in the folder."""
        if rows == 0 and self._ends:
            return
        self._add(tables.read_parquet(self._path(len(self._ends)), columns=list(PLACE)))

    def _add(self, places: pl.DataFrame) -> None:
        ordered = places.sort(PLACE)
        self._are_sorted = self._are_sorted and places.equals(ordered)
        self._ends.append((*ordered.head(1).rows(), *ordered.tail(1).rows()))
        self._starts.append(self.rows + places.height)

    def scan(self) -> pl.LazyFrame:
        """Return all rows, with their numbers."""
        return tables.scan_parquet(list(map(self._path, range(len(self._ends)))), row_index_name="row")

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Yield the parts, with the numbers of their rows."""
        for number, start in enumerate(self._starts[:-1]):
            yield tables.read_parquet(self._path(number)).with_row_index("row", offset=start)

    def find(self, split: str, positions: Array) -> Array:
        """Return the numbers of rows by their positions among those of their split."""
        numbers = [number for number, ends in enumerate(self._ends) if ends and ends[0][0] == split]
        starts = np.array(self._starts)[numbers]
        heights = np.diff(self._starts)[numbers]
        first = np.cumsum(heights) - heights  # position of the first row of each part
        part = np.searchsorted(first, positions, side="right") - 1
        rows: Array = positions - first[part] + starts[part]
        return rows

    def gather(self, rows: Array) -> pl.DataFrame:
        """Return the rows with these numbers, in their order."""
        rows = np.unique(rows)
        edges = np.searchsorted(rows, self._starts)
        wanted = [
            copy_strings(part[rows[start:stop] - offset])
            for part, offset, start, stop in zip(self, self._starts, edges, edges[1:], strict=False)
            if start < stop
        ]
        return pl.concat(wanted) if wanted else next(iter(self)).clear()

    def scan_sorted(self, folder: Path) -> pl.LazyFrame:
        """Return all rows by split, file and line; equal places keep their order.

        If they are not in this order already, they are copied to `folder`: parts whose places do not overlap one by
        one, others together, in memory.
        """
        edges = [place for ends in self._ends for place in ends]
        if self._are_sorted and edges == sorted(edges):
            return self.scan()
        runs, last = list[list[int]](), ("", "", 0)
        for number in sorted(range(len(self._ends)), key=lambda number: self._ends[number]):
            if not runs or self._ends[number] >= (last, last):
                runs.append([])
            runs[-1].append(number)
            last = max([last, *self._ends[number]])
        for place, run in enumerate(runs):
            rows = pl.concat(tables.read_parquet(self._path(number)) for number in sorted(run))
            rows.sort(PLACE, maintain_order=True).write_parquet(folder / f"{place:06}.parquet")
        return tables.scan_parquet(sorted(folder.glob("*.parquet")))

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}.parquet"


def copy_strings(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with strings of their own: those taken from a table keep all of its strings in memory."""
    return rows.with_columns(pl.col(pl.String) + "")
