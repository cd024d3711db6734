"""The report's charts as Vega-Lite specifications, built from rows.

Every color is a variable of the page's style sheet, so a chart follows the page into dark mode and onto paper.
"""

from typing import Any

import altair as alt

Rows = list[dict[str, Any]]
Spec = dict[str, Any]

SANS = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
THEME: Spec = {
    "background": None,
    "font": SANS,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--soft)",
        "titleColor": "var(--soft)",
        "gridColor": "var(--rule)",
        "domainColor": "var(--rule)",
        "tickColor": "var(--rule)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 220,
    },
    "legend": {
        "labelColor": "var(--ink)",
        "titleColor": "var(--soft)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "symbolStrokeColor": "var(--soft)",
        "symbolBaseStrokeColor": "var(--soft)",
        "symbolStrokeWidth": 2,
        "orient": "top",
    },
    "range": {"category": [f"var(--hue-{number})" for number in range(1, 9)]},
    "mark": {"color": "var(--hue-1)"},
    "text": {"color": "var(--ink)", "fontSize": 12},
    "rule": {"color": "var(--soft)"},
}


def class_chart(rows: Rows, labels: list[str], splits: list[str]) -> Spec:
    """Return bars of rows by class, stacked by split; `rows` have label, split and rows."""
    order = {split: position for position, split in enumerate(splits)}
    bars = chart([row | {"position": order[row["split"]]} for row in rows]).mark_bar(height={"band": 0.7})
    return build_spec(
        bars.encode(
            x=alt.X("rows:Q", title="articles", axis=alt.Axis(tickCount=5)),
            y=alt.Y("label:N", title=None, sort=labels),
            color=alt.Color("split:N", title=None, sort=splits),
            order="position:Q",
            tooltip=["label:N", "split:N", alt.Tooltip("rows:Q", format=",")],
        ),
        height=26 * len(labels),
    )


def curve_chart(rows: Rows, candidates: list[str], figure: str) -> Spec:
    """Return a line per candidate and split of a figure by epoch; a click in the legend selects a candidate."""
    selection = alt.selection_point(fields=["candidate"], bind="legend")
    splits = sorted({row["split"] for row in rows}, reverse=True)
    ticks = max(1, min(8, max(row["epoch"] for row in rows) - 1))
    lines = (
        chart([row for row in rows if row[figure] is not None])
        .mark_line(strokeWidth=2, point={"size": 22})
        .encode(
            x=alt.X("epoch:Q", axis=alt.Axis(grid=False, tickCount=ticks, format="d")),
            y=alt.Y(f"{figure}:Q", scale=alt.Scale(zero=False)),
            color=alt.Color(
                "candidate:N", title=None, sort=candidates, legend=alt.Legend(symbolType="stroke", symbolSize=220)
            ),
            strokeDash=alt.StrokeDash(
                "split:N", title=None, sort=splits, legend=alt.Legend(symbolType="stroke", symbolSize=220)
            ),
            opacity=alt.condition(selection, alt.value(1), alt.value(0.12)),
            tooltip=["candidate:N", "split:N", "epoch:Q", alt.Tooltip(f"{figure}:Q", format=".4f")],
        )
    )
    return build_spec(lines.add_params(selection), height=260)


def confusion_chart(rows: Rows, labels: list[str]) -> Spec:
    """Return a heat map that colors only errors; `rows` have actual, predicted, rows and share of the actual class."""
    wrong = [row for row in rows if row["actual"] != row["predicted"]]
    highest = max([row["share"] for row in wrong], default=0) or 1
    opacity = alt.Opacity("share:Q", scale=alt.Scale(domain=[0, highest], range=[0.03, 1]), legend=None)
    crowded = f"width < {len(labels) * 7 * max(map(len, labels))}"
    axis = alt.Axis(
        orient="top", labelAngle=alt.expr(f"{crowded} ? -35 : 0"), labelAlign=alt.expr(f"{crowded} ? 'left' : 'center'")
    )
    x = alt.X("predicted:N", title="predicted", sort=labels, axis=axis)
    y = alt.Y("actual:N", title="actual", sort=labels)
    tooltip = ["actual:N", "predicted:N", alt.Tooltip("rows:Q", format=","), alt.Tooltip("share:Q", format=".1%")]
    right = [row for row in rows if row["actual"] == row["predicted"]]
    counts = chart([row for row in rows if row["rows"]]).mark_text()
    return build_spec(
        alt.layer(
            chart(wrong).mark_rect(color="var(--wrong)").encode(x=x, y=y, opacity=opacity, tooltip=tooltip),
            chart(right).mark_rect(color="var(--right)").encode(x=x, y=y, tooltip=tooltip),
            counts.encode(x=x, y=y, text=alt.Text("rows:Q", format=","), tooltip=tooltip),
        ),
        height=42 * len(labels),
    )


def slice_chart(rows: Rows, overall: dict[str, float]) -> Spec:
    """Return the accuracy of each slice with its interval; `overall` has low, accuracy and high of all rows."""
    names = [row["name"] for row in rows]
    x = alt.X(
        "accuracy:Q",
        title="accuracy",
        scale=alt.Scale(zero=False),
        axis=alt.Axis(format="%", tickCount=6, labelFlush=False),
    )
    y = alt.Y("name:N", title=None, sort=names)
    color = alt.Color("slice:N", legend=None)
    tooltip = ["name:N", alt.Tooltip("rows:Q", format=","), *(percent(end) for end in ("accuracy", "low", "high"))]
    return build_spec(
        alt.layer(
            chart([overall])
            .mark_rect(color="var(--rule)", opacity=0.6)
            .encode(x=alt.X("low:Q", title="accuracy"), x2="high:Q"),
            chart([overall]).mark_rule(color="var(--ink)", strokeWidth=1.5).encode(x=x),
            chart(rows)
            .mark_rule(strokeWidth=2)
            .encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=color, tooltip=tooltip),
            chart(rows)
            .mark_point(filled=True, opacity=1)
            .encode(
                x=x,
                y=y,
                color=color,
                size=alt.Size("rows:Q", scale=alt.Scale(range=[20, 260]), legend=None),
                tooltip=tooltip,
            ),
        ),
        height=24 * len(rows),
    )


def calibration_chart(rows: Rows) -> Spec:
    """Return accuracy by confidence, with the diagonal of perfect calibration; the area of a point is its rows."""
    x = alt.X("confidence:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))
    y = alt.Y("accuracy:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))
    size = alt.Size("rows:Q", title="articles", scale=alt.Scale(range=[30, 600]), legend=alt.Legend(tickCount=3))
    tooltip = [percent("confidence"), percent("accuracy"), alt.Tooltip("rows:Q", format=",")]
    diagonal = [{"confidence": end, "accuracy": end} for end in (0, 1)]
    return build_spec(
        alt.layer(
            chart(diagonal).mark_line(strokeDash=[4, 4], color="var(--soft)", strokeWidth=1.5).encode(x=x, y=y),
            chart(rows).mark_line(strokeWidth=1.5, opacity=0.5).encode(x=x, y=y),
            chart(rows).mark_point(filled=True, opacity=0.85).encode(x=x, y=y, size=size, tooltip=tooltip),
        ),
        height=340,
    )


def chart(rows: Rows) -> alt.Chart:
    """Return a chart without marks of rows that stand in the page."""
    return alt.Chart(alt.InlineData(values=rows))


def percent(field: str) -> alt.Tooltip:
    """Return a tooltip that shows a share."""
    return alt.Tooltip(f"{field}:Q", format=".1%")


def build_spec(marks: alt.Chart | alt.LayerChart, height: int) -> Spec:
    """Return the specification of a chart, as wide as its place."""
    spec: Spec = marks.properties(width="container", height=height).to_dict()
    return spec | {"config": THEME}
