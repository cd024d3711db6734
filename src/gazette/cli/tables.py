"""Tables and lines on a terminal: escaped, cut, and in color only if a terminal shows them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from prefect_dvc.cli import terminal
from prefect_dvc.core.escape import escape
from rich.console import RenderableType
from rich.table import Table

MAX_CELL = 80  # characters
Rows = Iterable[Mapping[str, Any]]


def show(*parts: RenderableType) -> None:
    """Print tables, trees and lines; a line is never wrapped, so that it can be searched and copied."""
    console = terminal.open_console()
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str))


def build_table(
    rows: Rows,
    columns: Mapping[str, str] | Iterable[str] = (),
    *,
    limits: Mapping[str, int] | None = None,
    right: Collection[str] = (),
    title: str | None = None,
) -> Table:
    """Build a table from rows with the same keys.

    `columns` are the keys to show, or keys and headings; by default the keys of the first row. `limits` are characters
    per column, MAX_CELL by default; the columns in `right` are aligned to the right.
    """
    rows = list(rows)
    keys = columns or (rows[0] if rows else ())
    headings = columns if isinstance(columns, Mapping) else {key: key for key in keys}
    table = Table(box=None, header_style="bold", title=title, title_justify="left")
    for key, heading in headings.items():
        table.add_column(escape(heading), overflow="fold", justify="right" if key in right else "left")
    for row in rows:
        table.add_row(*(format_cell(row[key], (limits or {}).get(key, MAX_CELL)) for key in headings))
    return table


def format_cell(value: Any, limit: int = MAX_CELL) -> str:
    """Return a value as it stands in a cell: a dash for None, a list with commas."""
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return "—" if value is None else escape(str(value), limit)
