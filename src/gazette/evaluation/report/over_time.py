"""A corpus and its classifier over time, as rows and charts of the report; nothing for a corpus without dates."""

from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from gazette.core import tables
from gazette.evaluation.periods import period_of
from gazette.evaluation.report.charts import Rows, Spec, build_spec, chart, percent

MAX_CLASSES = 7  # with a color of their own; the others share the eighth
OTHERS = "all other classes"


def count_periods(paths: list[str]) -> Rows:
    """Return how many articles of each class each period has, in the splits at these paths; the largest classes first.

    Rows have period, label and rows.
    """
    present = [path for path in paths if Path(path).exists()]
    if not present or "date" not in tables.scan_parquet(present[0]).collect_schema():
        return []
    table = pl.concat(tables.read_parquet(path, columns=["label", "date"]) for path in present)
    largest = table["label"].value_counts().sort("count", "label", descending=[True, False])["label"]
    named = set(largest if largest.len() <= MAX_CLASSES + 1 else largest.head(MAX_CLASSES))
    label = pl.when(pl.col("label").is_in(named)).then("label").otherwise(pl.lit(OTHERS))
    counts = table.group_by(period=period_of(table["date"]), label=label).agg(rows=pl.len())
    return counts.sort("period", "label").to_dicts()


def period_rows(metrics: dict[str, Any] | None) -> Rows:
    """Return the figures of each period of the test rows."""
    return [{"period": period, **figures} for period, figures in (metrics or {}).get("periods", {}).items()]


def volume_chart(rows: Rows) -> Spec:
    """Return bars of articles by period, stacked by class."""
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["label"]] = totals.get(row["label"], 0) + row["rows"]
    order = sorted(totals, key=lambda label: (label == OTHERS, -totals[label], label))
    bars = chart([row | {"position": order.index(row["label"])} for row in rows]).mark_bar()
    return build_spec(
        bars.encode(
            x=alt.X("period:O", title=None, axis=alt.Axis(labelOverlap=True)),
            y=alt.Y("rows:Q", title="articles", axis=alt.Axis(tickCount=5)),
            color=alt.Color("label:N", title=None, sort=order),
            order="position:Q",
            tooltip=["period:O", "label:N", alt.Tooltip("rows:Q", format=",")],
        ),
        height=260,
    )


def accuracy_chart(rows: Rows, overall: dict[str, float]) -> Spec:
    """Return the accuracy of each period with its interval, and that of all rows; `overall` as for slices."""
    x = alt.X("period:O", title=None, axis=alt.Axis(labelOverlap=True))
    y = alt.Y("accuracy:Q", scale=alt.Scale(zero=False), axis=alt.Axis(format="%", tickCount=6))
    tooltip = ["period:O", alt.Tooltip("rows:Q", format=","), *(percent(end) for end in ("accuracy", "low", "high"))]
    size = alt.Size("rows:Q", scale=alt.Scale(range=[20, 260]), legend=None)
    return build_spec(
        alt.layer(
            chart([overall]).mark_rule(color="var(--soft)", strokeDash=[4, 4]).encode(y=y),
            chart(rows).mark_rule(strokeWidth=2).encode(
                x=x, y=alt.Y("low:Q", title="accuracy"), y2="high:Q", tooltip=tooltip
            ),
            chart(rows).mark_line(strokeWidth=1.5, opacity=0.5).encode(x=x, y=y),
            chart(rows).mark_point(filled=True, opacity=1).encode(x=x, y=y, size=size, tooltip=tooltip),
        ),
        height=260,
    )  # fmt: skip
