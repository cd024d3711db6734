"""Where each row of a corpus goes: a byte for each, since the rows themselves may not fit in memory."""

from collections import Counter

import numpy as np
import polars as pl

from gazette.data.splits import SPLITS, Cut

CONFLICT = 1 + len(SPLITS)  # the place of rows in quarantine; a split's is its number, from 1; 0: the row is dropped
CLEAN = range(1, CONFLICT)


class Places:
    """The places of rows by their number, and what is known of all of them."""

    def __init__(self, rows: int) -> None:
        self.classes: Counter[tuple[str, str]] = Counter()  # clean rows by split and label
        self.counts: Counter[str] = Counter()  # of `Cut`
        self._of_row = np.zeros(rows, dtype=np.uint8)
        self._relabeled: list[pl.DataFrame] = []

    def add(self, cut: Cut) -> None:
        """Add rows (row, split, label, was); `was` is the label before volunteers corrected it."""
        for number, split in zip(CLEAN, SPLITS, strict=True):
            self._of_row[cut.clean.filter(split=split)["row"]] = number
        self._of_row[cut.conflicts["row"]] = CONFLICT
        for table in (cut.clean, cut.conflicts):
            changed = table.filter(pl.col("label") != pl.col("was"))
            self._relabeled.append(changed.select("row", to=pl.col("label").cast(pl.String)))
        for split, label, rows in cut.clean.group_by("split", "label").len().iter_rows():
            self.classes[split, label] += rows
        self.counts.update(cut.counts)

    def rows_of(self, split: str) -> int:
        """Return how many rows a split has."""
        return sum(rows for (name, _), rows in self.classes.items() if name == split)

    def pick(self, table: pl.LazyFrame, place: int) -> pl.LazyFrame:
        """Return the rows that go to a place, with `row`, and with their labels and splits as they are now."""

        def is_there(rows: pl.Series) -> pl.Series:
            return pl.Series(self._of_row[rows.to_numpy()] == place, dtype=pl.Boolean)

        picked = pl.col("row").map_batches(is_there, pl.Boolean, is_elementwise=True)
        rows, relabeled = table.with_row_index("row").filter(picked), pl.concat(self._relabeled)
        if relabeled.height:
            rows = rows.join(relabeled.lazy(), on="row", how="left", maintain_order="left")
            rows = rows.with_columns(label=pl.coalesce("to", "label"))
        return rows.with_columns(split=pl.lit(SPLITS[place - 1])) if place in CLEAN else rows
