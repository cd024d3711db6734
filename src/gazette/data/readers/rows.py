"""Raw files, row by row: what a file holds, what of it had to be rejected, and where each row stands.

Every row comes back once: as an article (text, label, file, line) or as a reject (file, line, reason, seen). A file
that is broken as a whole (its format, its encoding, its header) raises BrokenContract; `gazette.core.limits` bounds
what it may cost.
"""

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from gazette.core.errors import BrokenContract
from gazette.core.escape import shown
from gazette.core.limits import MAX_ROWS

BATCH = 1 << 16  # rows that are held as Python objects at a time
MAX_REJECTS = MAX_ROWS // 100  # of a file; with more it is broken as a whole

CONTROL = r"[\p{Cc}--\n\t]"
ARTICLE = {"text": pl.String, "label": pl.String, "file": pl.String, "line": pl.Int64}
REJECT = {"file": pl.String, "line": pl.Int64, "reason": pl.String, "seen": pl.String}


@dataclass(frozen=True)
class Contents:
    """What a raw file held: `rows` = articles + rejects; columns that nothing uses; what was let pass, with counts."""

    articles: pl.DataFrame
    rejects: pl.DataFrame
    unused: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def account(self) -> dict[str, Any]:
        """How many rows there were and what became of them, for the report of `validate`."""
        return {
            "rows": self.articles.height + self.rejects.height,
            "articles": self.articles.height,
            "rejected": self.rejects.height,
            "unused": [shown(column, 60) for column in self.unused],
            "notes": self.notes,
        }


class Sheet:
    """Rows as they are read; in memory as columns, so that ten million of them fit."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.rows = 0
        self.rejected = 0
        self.unused: list[str] = []
        self.notes: dict[str, int] = {}
        self._articles: list[tuple[str, str | None, str, int]] = []
        self._rejects: list[tuple[str, int, str, str]] = []
        self._parts = [pl.DataFrame(schema=ARTICLE)]
        self._rejected = [pl.DataFrame(schema=REJECT)]

    def accept(self, text: str, label: str | None, line: int, file: str | None = None) -> None:
        """Takes a row as an article; `file` where the sheet is a folder."""
        self._articles.append((text, label, file or self.file, line))
        self._count()

    def reject(self, line: int, reason: str, seen: str, file: str | None = None) -> None:
        """Takes a row as a reject; `seen` is escaped and cut here."""
        self._rejects.append((file or self.file, line, reason, shown(seen)))
        self.rejected += 1
        if self.rejected > MAX_REJECTS:
            raise BrokenContract(
                f"{self.file}: more than {MAX_REJECTS:,} rows cannot be read; is it described as what it is? The last, "
                f"line {line}: {reason}; seen: {shown(seen)}"
            )
        self._count()

    def note(self, what: str) -> None:
        """Counts something that was let pass, so that it is not let pass in silence."""
        self.notes[what] = self.notes.get(what, 0) + 1

    def _count(self) -> None:
        self.rows += 1
        if self.rows % BATCH == 0:
            self._flush()

    def _flush(self) -> None:
        self._parts.append(pl.DataFrame(self._articles, schema=ARTICLE, orient="row"))
        self._rejected.append(pl.DataFrame(self._rejects, schema=REJECT, orient="row"))
        self._articles, self._rejects = [], []

    def contents(self) -> Contents:
        """All that was taken."""
        self._flush()
        articles = pl.concat(self._parts)
        if held := articles.filter(pl.col("text").str.contains(CONTROL)).height:
            self.notes["texts with control characters, kept as they are"] = held
        return Contents(articles, pl.concat(self._rejected), self.unused, dict(sorted(self.notes.items())))
