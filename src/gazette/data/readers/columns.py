"""Column lookup by name or position, with hints for a missing column."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.core.corpus import Delimited, JsonArray, JsonLines, Parquet
from gazette.core.escape import quote
from gazette.data.readers.lookalikes import look_alike, tell_apart

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
WIDE = ("，", "；", "｜")  # of a Chinese keyboard; no delimiters unless they are named, since texts are full of them


class Columns(NamedTuple):
    """The columns to read, and the prefix of their options: `--`, or `--test-` for those of test.

    `cure` says what to do if there are none such; if it is empty, the options are named.

    Articles without labels have no label column, or an identifier in its place (`role` is id), which is not a class.
    """

    text: tuple[str, ...]
    label: str | None
    option: str = "--"
    role: str = "label"
    date: str | None = None
    cure: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        """The text columns, then the date's, then the label's."""
        return tuple(column for column in (*self.text, self.date, self.label) if column is not None)

    @property
    def last(self) -> str:
        """The label's column, or without one the last text column, since a layout needs one."""
        return self.all[-1]

    @property
    def options(self) -> list[str]:
        """The options that name them."""
        named = {"text": self.text, "date": self.date, self.role: self.label}
        return [self.option + name for name, column in named.items() if column is not None]


def list_columns(file: Delimited | JsonLines | JsonArray | Parquet, labeled: bool) -> list[Any]:
    """List the columns to read, the text's and, if there are labels, the date's and the label's."""
    last = [file.date, file.label] if labeled else []
    return [*file.text, *(column for column in last if column is not None)]


def column_index(column: str | int, names: list[str] | list[int], path: Path, delimiter: str) -> int:
    """Return the index of a column, from 0; raises DataContractError if it is missing or ambiguous."""
    if names.count(column) != 1:  # type: ignore[arg-type]
        problem = _describe_problem(column, names, delimiter)
        raise DataContractError(f"{path}, line 1: {problem}; correct the corpus's description or the file")
    return names.index(column)  # type: ignore[arg-type]


def check_columns(names: Sequence[str | int], path: Path, columns: Columns) -> None:
    """Raise ConfigError unless each of `columns` is in `names` exactly once."""
    present = [str(name) for name in names]
    for column in columns.all:
        if present.count(column) != 1:
            cure = columns.cure or f"{' and '.join(columns.options)} name columns"
            raise ConfigError(f"{path}: {_describe_problem(column, present, '')}; {cure}")


def _describe_problem(column: str | int, names: Sequence[str | int], delimiter: str) -> str:
    if column in names:
        return f"more than one column {column!r} among {quote_columns(names)}"
    return f"no column {column!r} among {quote_columns(names)}{missing_column_hint(column, names, delimiter)}"


def quote_columns(names: Sequence[str | int]) -> str:
    """Quote the first twenty columns."""
    return ", ".join(quote(name, 40) for name in names[:20])


def missing_column_hint(column: str | int, names: Sequence[str | int], delimiter: str) -> str:
    """Guess why a column is missing: a remark in parentheses, or nothing."""
    words = [str(name) for name in names]
    if isinstance(column, int) or column.isdecimal():
        return f" (the rows have {len(words)} {'column' if len(words) == 1 else 'columns'})"
    if words[0].startswith("#"):
        return " (a comment stands where the header is expected)"
    if words[0].lower().startswith("sep="):
        return " (Excel's own first line stands where the header is expected; remove it)"
    if words[0].lstrip().startswith("{"):
        return " (this looks like JSON lines; use `format: jsonl`)"
    if len(words) == 1 and (likely := next((d for d in DELIMITERS if d != delimiter and d in words[0]), None)):
        return f" (is {DELIMITERS[likely]} the delimiter?)"
    if len(words) == 1 and (wide := next((sign for sign in WIDE if sign != delimiter and sign in words[0]), None)):
        return f" (is the full-width {wide} the delimiter? Then replace it, or name it by --delimiter)"
    if (padded := next((w for w in words if w != column and w.strip() == column), None)) is not None:
        return f" (there are spaces around {quote(padded, 40)})"
    if alike := next((word for word in words if look_alike(word, column)), None):
        hint = tell_apart({"the name here": column, "that in the file": alike})
        return f" (did you mean {quote(alike, 40)}?){hint}"
    if near := get_close_matches(column.lower(), [word.lower() for word in words], n=1):
        return f" (did you mean {quote(next(word for word in words if word.lower() == near[0]), 40)}?)"
    if any(len(word) > 30 or " " in word.strip() or word.isdecimal() for word in words):
        return " (the first row looks like data; if there is no header, columns are positions, from 1)"
    return ""
