"""Two corpora, or two states of one: which articles came, went, or changed their label or split."""

from typing import Any

import polars as pl


def compare(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """One row per article (text, `key`) of either: change, label_before, label, split_before, split, file, line, text.

    `change` is added, gone, relabelled, moved (to another split) or same. Articles are the same where their keys are;
    one that stands several times is compared by its first place, in the order of split, file and line. A file and line
    are those of `after`, or of `before` where the article is gone.
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
        .when(label).then(pl.lit("relabelled"))
        .when(split).then(pl.lit("moved"))
        .otherwise(pl.lit("same"))
    )  # fmt: skip
    return joined.select(
        change.alias("change"), "label_before", "label", "split_before", "split",
        *(pl.coalesce(name, f"{name}_before") for name in ("file", "line", "text")),
    )  # fmt: skip


def figures(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, Any]:
    """How many articles changed in each way, and rows, class shares and lengths of both."""
    changes = compare(before, after)
    counted = dict(changes["change"].value_counts().iter_rows())
    moves = changes.filter(pl.col("change") == "relabelled").group_by("label_before", "label").agg(articles=pl.len())
    return {
        "changes": {name: counted.get(name, 0) for name in ("added", "gone", "relabelled", "moved", "same")},
        "relabelled": moves.sort("articles", "label_before", "label", descending=[True, False, False]).to_dicts(),
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
