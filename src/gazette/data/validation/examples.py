"""The first few articles behind each finding, so that a person sees what is meant; pure.

Every function gives rows of kind, split, file, line and seen (escaped, cut).
"""

from typing import Any

import numpy as np
import polars as pl

from gazette.core.escape import shown

EACH = 5  # of a kind
BEFORE = 60  # characters that are shown before what was found


def of_flags(articles: pl.DataFrame, flags: pl.DataFrame, places: dict[str, str]) -> pl.DataFrame:
    """For each flag the first rows that have it, shown from where the pattern that `places` has for it begins."""
    rows = articles.hstack(flags)
    return pl.concat([_first(rows.filter(pl.col(name)), name, places.get(name, "^")) for name in flags.columns])


def of_neighbours(articles: pl.DataFrame) -> pl.DataFrame:
    """Near duplicates (equal `group`, other `copy`) of one split, under two labels, of two splits, with their first."""
    order = articles.select(pl.arg_sort_by("split", "file", "line"))["split"]
    groups, copies = (articles[name].gather(order).to_numpy() for name in ("group", "copy"))
    _, heads, member = np.unique(groups, return_index=True, return_inverse=True)
    heads = heads[member].astype(np.uint32)
    near = np.flatnonzero(copies != copies[heads])
    split, label = (
        articles[name].cast(pl.Categorical).to_physical().gather(order).to_numpy() for name in ("split", "label")
    )
    of_another, across = (column[near] != column[heads[near]] for column in (label, split))

    def shown(kind: str, found: Any) -> pl.DataFrame:
        first = near[found][:EACH]
        rows, other = articles[order[first]], articles[order[heads[first]]]
        place = pl.format(", near {} line {} ({}, {})", "file", "line", "split", "label")
        return _first(rows.with_columns(label=rows["label"] + other.select(place.alias("near"))["near"]), kind)

    return pl.concat(
        [shown("near_duplicates", ~across), shown("near_conflicts", of_another), shown("near_overlap", across)]
    )


def of_hints(hints: pl.DataFrame) -> pl.DataFrame:
    """Phrases that give the class away; they stand in many rows, so at none."""
    said = [
        f"{row['phrase']!r} at the {row['place']} of {row['rows']:,} rows, {row['purity']:.0%} of them {row['label']}"
        for row in hints.head(2 * EACH).iter_rows(named=True)
    ]
    rows = pl.DataFrame({"seen": [shown(line) for line in said]}, schema={"seen": pl.String})
    return rows.select(
        kind=pl.lit("giveaways"), split=pl.lit("train"), file=pl.lit(""), line=pl.lit(0, pl.Int64), seen="seen"
    )


def of_finds(articles: pl.DataFrame, found: pl.DataFrame, masked: pl.Series) -> pl.DataFrame:
    """For each kind of personal data the first finds, as `masked` shows them."""
    places = articles.with_row_index("row").select("row", "split", "file", "line", "label")
    rows = found.select("row", "kind").with_columns(text=masked).join(places, on="row", maintain_order="left")
    parts = [_first(part, str(kind)) for (kind,), part in rows.sort("kind").group_by("kind", maintain_order=True)]
    return pl.concat([_first(rows.clear().with_columns(label=pl.lit("")), ""), *parts])


def _first(rows: pl.DataFrame, kind: str, place: str = "^") -> pl.DataFrame:
    rows = rows.sort("split", "file", "line").head(EACH)
    from_there = pl.col("text").str.extract(f"(?s)(.{{0,{BEFORE}}}(?:{place}).*)")
    rows = rows.with_columns(text=pl.coalesce(from_there, "text"))
    seen = [shown(f"{label}: {text}") for label, text in rows.select("label", "text").iter_rows()]
    return rows.select(pl.lit(kind).alias("kind"), "split", "file", "line", pl.Series("seen", seen, dtype=pl.String))
