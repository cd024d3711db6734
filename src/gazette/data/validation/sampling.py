"""The rows that checks which estimate look at: all of them or, of a large corpus, a sample of each split."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from gazette.data.parts import Parts
from gazette.data.validation.profile import SPLITS

MAX_ROWS = 200_000  # of a split, which are looked at whole; and if a split has more,
SAMPLED_ROWS = 100_000  # are drawn: a share of 1% is then known to 0.06 percentage points (two standard errors)
MAX_CHARACTERS = 1 << 27  # of either, if articles are long: 61,000 of 2,200 characters
SEED = 7


def draw_sample(parts: Parts, lengths: pl.DataFrame) -> pl.DataFrame:
    """Return rows of `parts` with `weight`, the rows of the split that each stands for; 1.0 if it has all of them.

    `lengths` has the rows of each split and number of characters: split, characters, rows.
    """
    sizes = lengths.group_by("split").agg(
        pl.col("rows").sum(), mean=pl.col("characters").dot("rows") / pl.col("rows").sum()
    )
    numbers, weights = [], {}
    for split, rows, mean in sizes.sort("split").iter_rows():
        most = int(MAX_CHARACTERS / max(mean, 1))
        count = rows if rows <= min(MAX_ROWS, most) else min(SAMPLED_ROWS, most)
        numbers.append(parts.find(split, np.arange(rows) if count == rows else _draw(rows, count)))
        weights[split] = rows / count
    rows = parts.gather(np.concatenate([np.zeros(0, dtype=np.int64), *numbers]))
    return rows.with_columns(weight=pl.col("split").replace_strict(weights, return_dtype=pl.Float64))


def _draw(rows: int, count: int) -> np.ndarray:
    return np.random.default_rng(SEED).choice(rows, count, replace=False, shuffle=False)


def describe_sample(sample: pl.DataFrame, sizes: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return, for splits of which a part was sampled, how many of how many rows; for the report."""
    counts = dict(sample.group_by("split").len().iter_rows())
    return {
        split: {"rows": sizes[split], "sampled": counts[split]}
        for split in SPLITS
        if counts.get(split, 0) < sizes.get(split, 0)
    }
