"""Untrusted text in Markdown: it contains no markup, and long lists are cut."""

import re
from collections.abc import Sequence

from prefect_dvc.core.escape import escape

from gazette.evaluation.markdown import render_table

MAX_LINES = 20  # rows of a table, lines of a list
MAX_NAMED = 8  # in a sentence


def code_span(text: object, limit: int = 80) -> str:
    """Quote text in a code span that cannot hold a link, a mention or HTML, or end a cell; long text is cut."""
    whole = str(text)
    words = escape(whole, limit).strip() + ("…" if len(whole) > limit else "")
    if not words:
        return "(empty)"
    fence = "`" * (max(map(len, re.findall("`+", words)), default=0) + 1)
    edge = " " if words[0] == "`" or words[-1] == "`" else ""
    return f"{fence}{edge}{words}{edge}{fence}".replace("|", "\\|")


def code_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Render a table of cells that are Markdown already, at most MAX_LINES rows; empty if there are none."""
    more = f"\n\n… and {len(rows) - MAX_LINES:,} more." if len(rows) > MAX_LINES else ""
    return render_table(head, rows[:MAX_LINES], markdown=True) + more if rows else ""


def join_codes(words: Sequence[str]) -> str:
    """Join the first words as code spans, with the number of the rest."""
    more = [f"{len(words) - MAX_NAMED:,} more"] if len(words) > MAX_NAMED else []
    return ", ".join([*map(code_span, words[:MAX_NAMED]), *more])


def truncate(lines: Sequence[str]) -> list[str]:
    """Cut a list to its first lines, with the number of the rest."""
    return [*lines[:MAX_LINES], *([f"- … and {len(lines) - MAX_LINES:,} more"] if len(lines) > MAX_LINES else [])]


def details(title: str, inner: str) -> str:
    """Render a section that unfolds when its title is clicked."""
    return f"<details>\n<summary>{title}</summary>\n\n{inner}\n\n</details>"
