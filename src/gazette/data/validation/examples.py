"""The first few articles behind each finding.

Every function returns rows of kind, split, file, line and seen (an excerpt, escaped).
"""

from collections.abc import Collection, Sequence

import polars as pl
from prefect_dvc.core.escape import escape

from gazette.core.escape import tally
from gazette.data import dedup
from gazette.data.parts import PLACE, Parts
from gazette.data.validation.bounds import Bounds

EXAMPLES_PER_KIND = 5
MAX_CLASSES = 20  # of a kind
MAX_BEFORE = 60  # characters of an excerpt before the match


def flag_examples(articles: pl.DataFrame, flags: Sequence[str], patterns: dict[str, str]) -> pl.DataFrame:
    """Return the first rows with each flag, excerpted from the first match of its pattern in `patterns`."""
    return pl.concat([_first(articles.filter(pl.col(name)), name, patterns.get(name, "^")) for name in flags])


def near_duplicate_examples(articles: pl.DataFrame) -> pl.DataFrame:
    """Return near duplicates (same `group`, different `copy`) within a split, across labels and across splits."""
    places = articles.select("split", "file", "line", "label", "group", "copy").with_row_index("row")
    of_head = {f"{name}_of_head": pl.col(name).first().over("group") for name in places.columns[1:]}
    near = places.sort("split", "file", "line").with_columns(**of_head).filter(pl.col("copy") != pl.col("copy_of_head"))
    is_overlap = pl.col("split") != pl.col("split_of_head")

    def excerpt(kind: str, condition: pl.Expr) -> pl.DataFrame:
        first = near.filter(condition).head(EXAMPLES_PER_KIND)
        heads = [f"{name}_of_head" for name in ("file", "line", "split", "label")]
        label = first.select(pl.format("{}, near {} line {} ({}, {})", "label", *heads).alias("label"))
        return _first(articles[first["row"]].with_columns(label), kind)

    return pl.concat(
        [
            excerpt("near_duplicates", ~is_overlap),
            excerpt("near_conflicts", pl.col("label") != pl.col("label_of_head")),
            excerpt("near_overlap", is_overlap),
        ]
    )


def breach_examples(
    parts: Parts, classes: pl.DataFrame, bounds: Bounds, failed: Collection[tuple[str, str]], median: float
) -> pl.DataFrame:
    """Return the first rows behind the expectations that are not met (`failed`: table and column).

    `median` is the length of the median article.
    """
    rows = parts.scan()
    kinds: list[tuple[str, pl.LazyFrame]] = []
    for table, column in failed:
        if table == "corpus" and column.startswith("exact_"):
            kinds.append((column, _find_equal(parts, column)))
        elif column == "missing_dates":
            kinds.append((column, rows.filter(pl.col("date").is_null())))
        elif (table, column) == ("corpus", "characters_50"):
            is_longest = median >= bounds.min_median_characters
            ranked = rows.sort("characters", "row", descending=[is_longest, False])
            kinds.append((column, ranked.head(EXAMPLES_PER_KIND)))
        elif table == "drift":
            kinds += [("split", rows.filter(split=split)) for split in ("valid", "test")]
    few = classes.filter(pl.col("rows") < bounds.min_rows_per_class).sort("rows", "split", "label")
    dominant = classes.filter(pl.col("share") > bounds.max_class_share)
    for kind, breaches in (("few_articles", few), ("dominant_class", dominant)):
        kinds += [
            (kind, rows.filter(split=split, label=label))
            for split, label in breaches.select("split", "label").head(MAX_CLASSES).iter_rows()
        ]
    examples = [
        _first(next(iter(parts)).clear(), ""),
        *(_first(first_rows(parts, [rows]), kind) for kind, rows in kinds),
    ]
    return pl.concat(examples).unique(["kind", "split", "file", "line"], keep="first", maintain_order=True)


def first_rows(parts: Parts, tables: Sequence[pl.LazyFrame]) -> pl.DataFrame:
    """Return, whole, the first rows of each table by split, file and line."""
    first = [table.select("row", *PLACE).sort(PLACE).head(EXAMPLES_PER_KIND) for table in tables]
    numbers = pl.concat(pl.collect_all(first, engine="streaming"))["row"]
    return parts.gather(numbers.to_numpy())


def _find_equal(parts: Parts, column: str) -> pl.LazyFrame:
    """Return the first rows that column `exact_…` of the profile counts."""
    _, kind, *splits = column.split("_")
    in_split = pl.col("split") == splits[0] if splits else pl.lit(True)
    if kind == "conflicts":
        condition = pl.col("label").n_unique().over("key") > 1
    elif kind == "duplicates":
        condition = in_split & ~pl.struct("split", "key").is_first_distinct()
    else:
        condition = in_split & (pl.col("split") == splits[1]).any().over("key")
    rows = parts.scan().select("row", "label", "low", "high", *PLACE)
    equal = dedup.iter_equal(rows, parts.rows)
    return pl.concat(part.filter(condition).sort(PLACE).head(EXAMPLES_PER_KIND) for part in equal).lazy()


def leakage_examples(leaks: pl.DataFrame) -> pl.DataFrame:
    """Return phrases that leak the label; they are in many rows, so the place is empty."""
    lines = [
        f"{row['phrase']!r} at the {row['place']} of {tally(row['rows'], 'row')}, "
        f"{row['purity']:.0%} of them {row['label']}"
        for row in leaks.head(2 * EXAMPLES_PER_KIND).iter_rows(named=True)
    ]
    rows = pl.DataFrame({"seen": [escape(line) for line in lines]}, schema={"seen": pl.String})
    return rows.select(
        kind=pl.lit("giveaways"), split=pl.lit("train"), file=pl.lit(""), line=pl.lit(0, pl.Int64), seen="seen"
    )


def personal_data_examples(articles: pl.DataFrame, matches: pl.DataFrame, masked: pl.Series) -> pl.DataFrame:
    """Return the first matches of each kind of personal data, as excerpted in `masked`."""
    places = articles.with_row_index("row").select("row", "split", "file", "line", "label")
    rows = matches.select("row", "kind").with_columns(text=masked).join(places, on="row", maintain_order="left")
    parts = [_first(part, str(kind)) for (kind,), part in rows.sort("kind").group_by("kind", maintain_order=True)]
    return pl.concat([_first(rows.clear().with_columns(label=pl.lit("")), ""), *parts])


def join_examples(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the first examples of each kind, of those in parts of a corpus."""
    rows = pl.concat(parts).sort("kind", *PLACE, maintain_order=True)
    return rows.filter(pl.int_range(pl.len()).over("kind") < EXAMPLES_PER_KIND)


def _first(rows: pl.DataFrame, kind: str, place: str = "^") -> pl.DataFrame:
    rows = rows.sort("split", "file", "line").head(EXAMPLES_PER_KIND)
    from_match = pl.col("text").str.extract(f"(?s)(.{{0,{MAX_BEFORE}}}(?:{place}).*)")
    rows = rows.with_columns(text=pl.coalesce(from_match, "text"))
    seen = [escape(f"{label}: {text}") for label, text in rows.select("label", "text").iter_rows()]
    return rows.select(pl.lit(kind).alias("kind"), "split", "file", "line", pl.Series("seen", seen, dtype=pl.String))
