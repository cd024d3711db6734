"""Differences between two corpora, or two states of one: articles added, gone, relabeled, or moved between splits."""

from typing import Any

import polars as pl


def compare_articles(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return a row per article of either: change, label_before, label, split_before, split, file, line, text.

    `change` is added, gone, relabeled, moved (to another split) or same. Articles are the same if their keys are equal;
    a repeated one counts by its first place, in the order of split, file and line. File and line are those of `after`,
    or of `before` if the article is gone.
    """
    old, new = (
        table.sort("split", "file", "line").unique("key", keep="first", maintain_order=True)
        for table in (before, after)
    )
    joined = new.join(old, on="key", how="full", suffix="_before", maintain_order="left_right")
    label = pl.col("label") != pl.col("label_before")
    split = pl.col("split") != pl.col("split_before")
    change = (
        pl.when(pl.col("key_before").is_null()).then(pl.lit("added"))
        .when(pl.col("key").is_null()).then(pl.lit("gone"))
        .when(label).then(pl.lit("relabeled"))
        .when(split).then(pl.lit("moved"))
        .otherwise(pl.lit("same"))
    )  # fmt: skip
    return joined.select(
        change.alias("change"), "label_before", "label", "split_before", "split",
        *(pl.coalesce(name, f"{name}_before") for name in ("file", "line", "text")),
    )  # fmt: skip


def summarize_changes(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, Any]:
    """Count the changes, and the rows, class shares and lengths of both."""
    changes = compare_articles(before, after)
    counts = dict(changes["change"].value_counts().iter_rows())
    moves = changes.filter(pl.col("change") == "relabeled").group_by("label_before", "label").agg(articles=pl.len())
    return {
        "changes": {name: counts.get(name, 0) for name in ("added", "gone", "relabeled", "moved", "same")},
        "relabeled": moves.sort("articles", "label_before", "label", descending=[True, False, False]).to_dicts(),
        "before": _shape(before),
        "after": _shape(after),
    }


def _shape(articles: pl.DataFrame) -> dict[str, Any]:
    lengths = articles["text"].str.len_chars()
    shares = articles.group_by("label").agg(share=(pl.len() / articles.height).round(6)).sort("label")
    return {
        "rows": articles.height,
        "shares": dict(shares.iter_rows()),
        "characters": {f"{q} %": lengths.quantile(q / 100, "nearest") for q in (5, 50, 95)},
    }
