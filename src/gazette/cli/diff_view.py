"""A diff of two revisions on a terminal."""

from collections.abc import Iterator
from typing import Any

from prefect_dvc.core.escape import escape
from rich.table import Table

from gazette.cli import tables
from gazette.evaluation.diff.difference import RevisionDiff

COLUMNS = {
    "params": ("name", "before", "after"),
    "code": ("state", "from", "path", "stages"),
    "packages": ("name", "before", "after", "stages"),
    "stages": ("name", "state", "outputs"),
    "flipped": ("change", "file", "line", "label", "before", "after"),
}
ARTICLE_COLUMNS = ("change", "file", "line", "label_before", "label")


def show_diff(diff: RevisionDiff, max_rows: int) -> None:
    """Print both sides, then every difference, at most `max_rows` rows of a kind."""
    tables.show(_sides(diff), "", *_paired(diff.metrics["paired"]), *_data(diff.data, max_rows))
    for kind, columns in COLUMNS.items():
        if kind == "flipped" and not diff.metrics["paired"]:
            tables.show("flipped: unknown")
        else:
            tables.show(*_table(kind, columns, getattr(diff, kind), max_rows))
    for heading, lines in (("weak link", diff.weak), ("unknown", diff.unknown)):
        tables.show(*(f"{heading}: {escape(line, 300)}" for line in lines))


def _sides(diff: RevisionDiff) -> Table:
    sides = {"before": diff.before, "after": diff.after}
    rows: list[dict[str, Any]] = [
        {"": key} | {name: side[key] or None for name, side in sides.items()}
        for key in ("commit", "corpus", "bundle", "selected")
    ]
    for key in ("accuracy", "macro_f1", "ece", "rows"):
        rows.append({"": key} | {name: _figure(diff.metrics[name].get(key)) for name in sides})
    return tables.build_table(rows, {"": ""} | {name: side["revision"] for name, side in sides.items()})


def _paired(paired: dict[str, Any]) -> Iterator[str]:
    if "difference" not in paired:
        return
    share = f"{paired['confidence']:.0%}"
    for name, difference in paired["difference"].items():
        low, high = difference["low"], difference["high"]
        yield f"{name} {difference['observed']:+.4f} ({share} CI {low:+.4f} to {high:+.4f})"
    yield (
        f"on {paired['articles']:,} shared test articles: right before alone {paired['right before alone']:,}, right "
        f"after alone {paired['right after alone']:,}, McNemar p = {paired['mcnemar_p']:.3g}"
    )
    yield ""


def _data(data: dict[str, Any], max_rows: int) -> Iterator[str | Table]:
    if not data or not data["changes"]:
        yield "data: the same" if data else "data: unknown"
        yield ""
        return
    yield "data: " + ", ".join(f"{name} {count:,}" for name, count in data["changes"].items())
    yield from _table("articles", ARTICLE_COLUMNS, data["articles"], max_rows)


def _table(kind: str, columns: tuple[str, ...], rows: list[dict[str, Any]], max_rows: int) -> Iterator[str | Table]:
    if rows:
        yield tables.build_table(rows[:max_rows], columns, title=f"{kind}, {len(rows):,}")
    else:
        yield "no article flipped" if kind == "flipped" else f"{kind}: the same"
    if len(rows) > max_rows:
        yield f"… and {len(rows) - max_rows:,} more"
    yield ""


def _figure(value: float | None) -> str | None:
    return f"{value:.4f}" if isinstance(value, float) else None if value is None else f"{value:,}"
