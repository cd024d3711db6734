"""A difference on a terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from gazette.core.escape import shown
from gazette.evaluation.diff.difference import Difference


def show(found: Difference, to: Console, rows: int) -> None:
    """Both sides, then what differs, at most `rows` lines of a kind."""
    before, after = found.before, found.after
    sides = Table(box=None, header_style="bold")
    for head in ("", shown(before["asked"]), shown(after["asked"])):
        sides.add_column(head, overflow="fold")
    for key in ("commit", "corpus", "bundle", "selected"):
        sides.add_row(key, *(str(side[key] or "—") for side in (before, after)))
    for key in ("accuracy", "macro_f1", "ece", "rows"):
        sides.add_row(key, *(_figure(found.metrics[side].get(key)) for side in ("before", "after")))
    to.print(sides, "")
    _paired(found.metrics["paired"], to)
    _data(found.data, to, rows)
    _table(to, "params", ("name", "before", "after"), found.params, rows)
    _table(to, "code", ("state", "path", "stages"), found.code, rows)
    _table(to, "packages", ("name", "before", "after", "stages"), found.packages, rows)
    _table(to, "stages", ("name", "state", "outputs"), found.stages, rows)
    _table(to, "flipped", ("change", "file", "line", "label", "before", "after"), found.flipped, rows)
    for word, lines in (("weak link", found.weak), ("not known", found.unknown)):
        for line in lines:
            to.print(f"{word}: {shown(line, 300)}", soft_wrap=True)


def _paired(paired: dict[str, Any], to: Console) -> None:
    if "difference" not in paired:
        return
    share = f"{paired['confidence']:.0%}"
    for name, one in paired["difference"].items():
        to.print(f"{name} {one['observed']:+.4f}, {share} from {one['low']:+.4f} to {one['high']:+.4f}", soft_wrap=True)
    to.print(
        f"on {paired['articles']:,} shared test articles: right before alone {paired['right before alone']:,}, right "
        f"after alone {paired['right after alone']:,}, McNemar p = {paired['mcnemar_p']:.3g}",
        "",
        sep="\n",
        soft_wrap=True,
    )


def _data(data: dict[str, Any], to: Console, rows: int) -> None:
    if not data or not data["changes"]:
        to.print("data: the same" if data else "data: not known", "", sep="\n")
        return
    to.print("data: " + ", ".join(f"{name} {count:,}" for name, count in data["changes"].items()), soft_wrap=True)
    keys = ("change", "file", "line", "label_before", "label")
    _table(to, "articles", keys, data["articles"], rows)


def _table(to: Console, title: str, keys: Sequence[str], found: list[dict[str, Any]], rows: int) -> None:
    if not found:
        to.print(f"{title}: the same" if title != "flipped" else "no article flipped", "", sep="\n")
        return
    table = Table(box=None, header_style="bold", title=f"{title}, {len(found):,}", title_justify="left")
    for key in keys:
        table.add_column(key, overflow="fold")
    for one in found[:rows]:
        table.add_row(*(_cell(one[key]) for key in keys))
    to.print(table, *([f"… and {len(found) - rows:,} more"] if len(found) > rows else []), "", sep="\n")


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return shown(", ".join(map(str, value)), 100)
    return "—" if value is None else shown(str(value), 80)


def _figure(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "—" if value is None else f"{value:,}"
