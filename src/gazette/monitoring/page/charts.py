"""The charts of the monitor's page."""

import altair as alt

from gazette.evaluation.report.charts import Rows, Spec, build_spec, chart, percent

WINDOW = alt.X("window:O", title=None, axis=alt.Axis(labelOverlap=True, labelAngle=-35))


def signal_chart(rows: Rows, signals: list[str]) -> Spec:
    """Return a line for each signal: its distance in each window, as a multiple of its threshold, which is the rule."""
    lines = (
        chart(rows)
        .mark_line(strokeWidth=2, point={"size": 28})
        .encode(
            x=WINDOW,
            y=alt.Y("ratio:Q", title="distance ÷ threshold", scale=alt.Scale(zero=True)),
            color=alt.Color("signal:N", title=None, sort=signals),
            tooltip=[
                "window:O", "signal:N",
                alt.Tooltip("distance:Q", format=".4f"), alt.Tooltip("threshold:Q", format=".4f"),
            ],
        )
    )  # fmt: skip
    limit = chart([{"limit": 1}]).mark_rule(color="var(--bad)", strokeDash=[4, 4], strokeWidth=1.5).encode(y="limit:Q")
    return build_spec(alt.layer(limit, lines), height=260)


def accuracy_chart(labeled: Rows, unlabeled: Rows, kinds: list[str], reference: float | None) -> Spec:
    """Return accuracy by labels with its interval, and the estimates without labels as dashed lines."""
    ends = [row[key] for row in labeled for key in ("low", "high")] + [row["accuracy"] for row in unlabeled]
    ends += [] if reference is None else [reference]
    scale = alt.Scale(domain=[min(ends), max(ends)], nice=True)
    y = alt.Y("accuracy:Q", title="accuracy", scale=scale, axis=alt.Axis(format="%", tickCount=6))
    tooltip = ["window:O", alt.Tooltip("rows:Q", format=","), *(percent(end) for end in ("accuracy", "low", "high"))]
    guesses = (
        chart(unlabeled)
        .mark_line(strokeDash=[5, 4], strokeWidth=1.5, point={"size": 14})
        .encode(
            x=WINDOW,
            y=y,
            color=alt.Color("kind:N", title=None, sort=kinds),
            tooltip=["window:O", "kind:N", percent("accuracy")],
        )
    )
    size = alt.Size("rows:Q", scale=alt.Scale(range=[40, 260]), legend=None)
    layers = [
        guesses,
        chart(labeled)
        .mark_rule(strokeWidth=2, color="var(--ink)")
        .encode(x=WINDOW, y=alt.Y("low:Q", title="accuracy"), y2="high:Q", tooltip=tooltip),
        chart(labeled)
        .mark_point(filled=True, opacity=1, color="var(--ink)")
        .encode(x=WINDOW, y=y, size=size, tooltip=tooltip),
    ]
    if reference is not None:
        layers.append(chart([{"accuracy": reference}]).mark_rule(color="var(--soft)", strokeDash=[2, 3]).encode(y=y))
    return build_spec(alt.layer(*layers), height=280)


def cusum_chart(rows: Rows, interval: float) -> Spec:
    """Return the sum of errors label by label, and the interval that alarms; `rows` have number, hour and sum."""
    line = (
        chart(rows)
        .mark_line(strokeWidth=2, interpolate="step-after")
        .encode(
            x=alt.X(
                "number:Q", title="labels, in order of the articles' hours", axis=alt.Axis(tickMinStep=1, grid=False)
            ),
            y=alt.Y("sum:Q", title="errors above the reference"),
            tooltip=["number:Q", "hour:N", alt.Tooltip("sum:Q", format=".2f")],
        )
    )
    limit = (
        chart([{"interval": interval}])
        .mark_rule(color="var(--bad)", strokeDash=[4, 4], strokeWidth=1.5)
        .encode(y="interval:Q")
    )
    return build_spec(alt.layer(limit, line), height=240)


def share_chart(rows: Rows, labels: list[str]) -> Spec:
    """Return bars of the shares of predicted labels by window; `rows` have window, label, share and position."""
    bars = chart(rows).mark_bar()
    return build_spec(
        bars.encode(
            x=WINDOW,
            y=alt.Y(
                "share:Q",
                title="share of predictions",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", tickCount=5),
            ),
            color=alt.Color("label:N", title=None, sort=labels),
            order="position:Q",
            tooltip=["window:O", "label:N", percent("share")],
        ),
        height=240,
    )
