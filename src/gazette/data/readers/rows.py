"""The rows of a raw file: each is an article (text, label, file, line) or a reject (file, line, reason, seen).

A file that is broken as a whole (format, encoding, header) raises DataContractError; `gazette.core.limits` bounds what
reading it may cost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
from prefect_dvc.core.errors import DataContractError
from prefect_dvc.core.escape import escape

from gazette.core.limits import MAX_ROWS

BATCH_ROWS = 1 << 16  # rows that are Python objects at a time, unless they have more characters than
BATCH_CHARACTERS = 1 << 25
MAX_REJECTS = MAX_ROWS // 100  # of a file; with more it is broken as a whole

CONTROLS = "texts with control characters, kept as they are"
CONTROL = r"[\p{Cc}--\n\t]"
INVISIBLE = "\u180e\u200b\u200c\u200d\u2060\ufeff"  # zero width; spreadsheets and the web leave them at the ends
WHITE = "".join(char for char in map(chr, range(0x3001)) if char.isspace()) + INVISIBLE
PADDED = "labels with white space around them, taken without it"
EMPTY = "rows that are empty all over, skipped"
ARTICLE = {"text": pl.String, "label": pl.String, "file": pl.String, "line": pl.Int64, "date": pl.String}
REJECT = {"file": pl.String, "line": pl.Int64, "reason": pl.String, "seen": pl.String}


@dataclass(frozen=True)
class ReadResult:
    """Articles, rejects, unused columns, and notes: oddities that were accepted, with their number of rows."""

    articles: pl.DataFrame
    rejects: pl.DataFrame
    unused: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def account(self) -> dict[str, Any]:
        """The numbers of rows, for the report of `validate`."""
        return {
            "rows": self.articles.height + self.rejects.height,
            "articles": self.articles.height,
            "rejected": self.rejects.height,
            "unused": [escape(column, 60) for column in self.unused],
            "notes": self.notes,
        }


Take = Callable[[ReadResult], None]


class RowCollector:
    """Collects rows as columns, so that ten million fit in memory, or passes them on to `take` in parts."""

    def __init__(self, file: str, is_dated: bool = False, take: Take | None = None) -> None:
        self.file = file.encode("utf-8", "backslashreplace").decode()  # a name may have any bytes
        self.rows = 0
        self.rejected = 0
        self.skipped = 0
        self.unused: list[str] = []
        self.notes: dict[str, int] = {}
        self._articles: list[tuple[str, str | None, str, int, str | None]] = []
        self._rejects: list[tuple[str, int, str, str]] = []
        self._characters = 0
        self.is_dated = is_dated
        self._tables: list[pl.DataFrame] = []  # articles since the last part
        self._parts: list[ReadResult] = []
        self._take = take or self._parts.append

    def accept(self, text: str, label: str | None, line: int, file: str | None = None, date: str | None = None) -> None:
        """Add an article; `file` is for folders, `date` as it is written."""
        self._articles.append((text, label, file or self.file, line, date))
        self._characters += len(text)
        self._count()

    def accept_table(self, articles: pl.DataFrame) -> None:
        """Add many articles of the file at once: the columns text, label and line, and date as it is written."""
        self._pack()
        self._characters += int(articles["text"].str.len_bytes().sum())
        table = articles.with_columns(file=pl.lit(self.file))
        self._tables.append(table.select(pl.col(name).cast(kind) for name, kind in ARTICLE.items()))
        self._count(articles.height)

    def reject(self, line: int, reason: str, seen: str, file: str | None = None) -> None:
        """Add a reject; `seen` is escaped and truncated. Raises DataContractError after `MAX_REJECTS`."""
        self._rejects.append((file or self.file, line, reason, escape(seen)))
        self.rejected += 1
        if self.rejected > MAX_REJECTS:
            raise DataContractError(
                f"{self.file}: more than {MAX_REJECTS:,} rows cannot be read; does its description match? The last, "
                f"line {line}: {reason}; seen: {escape(seen)}"
            )
        self._count()

    def skip(self, reason: str) -> None:
        """Count a row that is neither an article nor a reject."""
        self.skipped += 1
        self.note(reason)

    def note(self, oddity: str) -> None:
        """Count an oddity that is accepted, so that it is reported."""
        self.notes[oddity] = self.notes.get(oddity, 0) + 1

    def _count(self, rows: int = 1) -> None:
        parts = self.rows // BATCH_ROWS
        self.rows += rows
        if self.rows > MAX_ROWS:
            raise DataContractError(f"{self.file} has more than {MAX_ROWS:,} rows; split it into several files")
        if self.rows // BATCH_ROWS > parts or self._characters > BATCH_CHARACTERS:
            self._flush()

    def _pack(self) -> None:
        self._tables.append(pl.DataFrame(self._articles, schema=ARTICLE, orient="row"))
        self._articles = []

    def _flush(self) -> None:
        self._pack()
        articles = pl.concat(self._tables, rechunk=True)
        if with_controls := articles.filter(pl.col("text").str.contains(CONTROL)).height:
            self.notes[CONTROLS] = self.notes.get(CONTROLS, 0) + with_controls
        articles = articles if self.is_dated else articles.drop("date")
        self._take(ReadResult(articles, pl.DataFrame(self._rejects, schema=REJECT, orient="row")))
        self._tables, self._rejects, self._characters = [], [], 0

    def result(self) -> ReadResult:
        """Return the rows that were not passed on (none, but all columns, if all were), and all notes."""
        self._flush()
        schema = {name: kind for name, kind in ARTICLE.items() if self.is_dated or name != "date"}
        articles = [pl.DataFrame(schema=schema), *(part.articles for part in self._parts)]
        rejects = [pl.DataFrame(schema=REJECT), *(part.rejects for part in self._parts)]
        return ReadResult(pl.concat(articles), pl.concat(rejects), self.unused, dict(sorted(self.notes.items())))


def strip_labels(result: ReadResult, known: Sequence[str] = ()) -> ReadResult:
    """Return the rows with labels without the white space around them, and a note of how many; `known` ones stay."""
    articles = result.articles
    stripped = pl.col("label").str.strip_chars(WHITE)
    is_padded = (stripped != pl.col("label")) & ~pl.col("label").is_in(list(known))
    padded = articles.select(is_padded.fill_null(False).sum()).item()
    if not padded:
        return result
    articles = articles.with_columns(label=pl.when(is_padded).then(stripped).otherwise(pl.col("label")))
    return replace(result, articles=articles, notes=dict(sorted({**result.notes, PADDED: padded}.items())))
