"""Words of a stranger in Markdown: they start no markup, and a list of them is cut."""

import re
from collections.abc import Sequence

from gazette.core.escape import shown

MOST = 20  # rows of a table, lines of a list
NAMED = 8  # in a sentence


def code(text: object, limit: int = 80) -> str:
    """A code span, in which nothing is a link, a mention, HTML or a cell's end; what is cut ends in an ellipsis."""
    whole = str(text)
    words = shown(whole, limit).strip() + ("…" if len(whole) > limit else "")
    if not words:
        return "(empty)"
    fence = "`" * (max(map(len, re.findall("`+", words)), default=0) + 1)
    edge = " " if words[0] == "`" or words[-1] == "`" else ""
    return f"{fence}{edge}{words}{edge}{fence}".replace("|", "\\|")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are Markdown already, `MOST` rows at most; nothing where there are none."""
    lines = [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows[:MOST])]
    more = f"\n\n… and {len(rows) - MOST:,} more." if len(rows) > MOST else ""
    return "\n".join(lines) + more if rows else ""


def several(words: Sequence[str]) -> str:
    """The first words as code, and how many more there are."""
    more = [f"{len(words) - NAMED:,} more"] if len(words) > NAMED else []
    return ", ".join([*map(code, words[:NAMED]), *more])


def cut(lines: Sequence[str]) -> list[str]:
    """The first lines of a list, and how many more there are."""
    return [*lines[:MOST], *([f"- … and {len(lines) - MOST:,} more"] if len(lines) > MOST else [])]


def folded(title: str, inner: str) -> str:
    """What is read when its title is clicked."""
    return f"<details>\n<summary>{title}</summary>\n\n{inner}\n\n</details>"
