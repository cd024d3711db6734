"""The first few articles behind each finding.

Every function returns rows of kind, split, file, line and seen (an excerpt, escaped).
"""

from collections.abc import Collection

import polars as pl

from gazette.core.escape import escape
from gazette.data.validation.bounds import Bounds

EXAMPLES_PER_KIND = 5
MAX_CLASSES = 20  # of a kind
MAX_BEFORE = 60  # characters of an excerpt before the match


def flag_examples(articles: pl.DataFrame, flags: pl.DataFrame, patterns: dict[str, str]) -> pl.DataFrame:
    """Return the first rows with each flag, excerpted from the first match of its pattern in `patterns`."""
    rows = articles.hstack(flags)
    return pl.concat([_first(rows.filter(pl.col(name)), name, patterns.get(name, "^")) for name in flags.columns])


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
    articles: pl.DataFrame, classes: pl.DataFrame, bounds: Bounds, failed: Collection[tuple[str, str]]
) -> pl.DataFrame:
    """Return the first rows behind the expectations that are not met (`failed`: table and column)."""
    parts = [_first(articles.clear(), "")]
    for table, column in failed:
        if table == "corpus" and column.startswith("exact_"):
            parts.append(_first(articles.filter(_is_equal(column)), column))
        elif column == "missing_dates":
            parts.append(_first(articles.filter(pl.col("date").is_null()), column))
        elif (table, column) == ("corpus", "characters_50"):
            length = pl.col("text").str.len_chars()
            shortest = articles.select(length.median()).item() < bounds.min_median_characters
            ranked = articles.sort(length, descending=not shortest, maintain_order=True)
            parts.append(_first(ranked.head(EXAMPLES_PER_KIND), column))
        elif table == "drift":
            parts += [_first(articles.filter(split=split), "split") for split in ("valid", "test")]
    few = classes.filter(pl.col("rows") < bounds.min_rows_per_class).sort("rows", "split", "label")
    dominant = classes.filter(pl.col("share") > bounds.max_class_share)
    for kind, rows in (("few_articles", few), ("dominant_class", dominant)):
        parts += [
            _first(articles.filter(split=split, label=label), kind)
            for split, label in rows.select("split", "label").head(MAX_CLASSES).iter_rows()
        ]
    return pl.concat(parts).unique(["kind", "split", "file", "line"], keep="first", maintain_order=True)


def _is_equal(column: str) -> pl.Expr:
    """Tell the rows that column `exact_…` of the profile counts."""
    _, kind, *splits = column.split("_")
    if kind == "conflicts":
        return pl.col("label").n_unique().over("copy") > 1
    in_split = pl.col("split") == splits[0]
    if kind == "duplicates":
        return in_split & ~pl.struct("split", "copy").is_first_distinct()
    return in_split & (pl.col("split") == splits[1]).any().over("copy")


def leakage_examples(leaks: pl.DataFrame) -> pl.DataFrame:
    """Return phrases that leak the label; they are in many rows, so the place is empty."""
    lines = [
        f"{row['phrase']!r} at the {row['place']} of {row['rows']:,} rows, {row['purity']:.0%} of them {row['label']}"
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


def _first(rows: pl.DataFrame, kind: str, place: str = "^") -> pl.DataFrame:
    rows = rows.sort("split", "file", "line").head(EXAMPLES_PER_KIND)
    from_match = pl.col("text").str.extract(f"(?s)(.{{0,{MAX_BEFORE}}}(?:{place}).*)")
    rows = rows.with_columns(text=pl.coalesce(from_match, "text"))
    seen = [escape(f"{label}: {text}") for label, text in rows.select("label", "text").iter_rows()]
    return rows.select(pl.lit(kind).alias("kind"), "split", "file", "line", pl.Series("seen", seen, dtype=pl.String))
