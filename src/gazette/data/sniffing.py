"""How a file that a stranger brings is laid out: format, delimiter, header and quoting, found out from its beginning.

Each candidate is tried with the reader of `gazette.data.readers`, so what is found out is what will be read.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from gazette.core.corpus import Delimited, File, Folder, JsonLines, Parquet
from gazette.core.errors import BrokenContract, Misconfigured
from gazette.core.escape import quoted
from gazette.data.readers import columns as headers
from gazette.data.readers import delimited
from gazette.data.readers.columns import DELIMITERS
from gazette.data.readers.lines import lines
from gazette.data.readers.open import opened, refuse_other_kinds

SAMPLE = 1 << 20  # bytes, some thousand rows: a fault in one of them outweighs nothing
WHOLE = 10  # one row in so many may be a reject before whole lines are taken for texts
QUOTED = 0.99  # of a column's fields that stand in quotes: then they are quotes, not part of the text
CLAIMS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
SAID = {"csv": "separated values", "jsonl": "JSON lines", "parquet": "Parquet"}


class Columns(NamedTuple):
    """The columns that were asked for, and how their options begin: `--`, or `--test-` for those of test.

    Articles without labels have none in that place, or an identifier (`role` says `id`), which is no class.
    """

    text: tuple[str, ...]
    label: str | None
    option: str = "--"
    role: str = "label"

    @property
    def all(self) -> tuple[str, ...]:
        """The text columns, then the label's."""
        return self.text if self.label is None else (*self.text, self.label)

    @property
    def last(self) -> str:
        """The label's column, or where there is none the last of the texts: a layout names one."""
        return self.all[-1]

    @property
    def options(self) -> list[str]:
        """The options that name them."""
        return [self.option + name for name in (["text"] if self.label is None else ["text", self.role])]


class Candidate(NamedTuple):
    """A way to read a file of separated values, and what comes of it."""

    delimiter: str
    quotes: bool
    rows: list[list[str]]
    rejects: int
    labels: list[str]
    classes: int  # different labels, or none where there are no labels
    doubles: bool  # a quote inside a field that is quoted is written twice somewhere


def layout(path: Path, columns: Columns) -> File:
    """How the file or folder at `path` is laid out; the `path` of what is returned is its bare name.

    Raises BrokenContract where it is not what its name claims, Misconfigured where a column is not there.
    """
    if path.is_dir():
        return Folder(format="folder", path=".")
    real = path.resolve()
    with opened(real.parent, real.name) as file:
        head = file.read(SAMPLE)
        found = _format(head)
        file.seek(0)
        if found != "parquet":
            refuse_other_kinds(file, path)
    claimed = CLAIMS.get(path.suffix.lower(), found)
    if claimed != found:
        raise BrokenContract(f"{path} holds {SAID[found]}, by its name {SAID[claimed]}; one of the two is wrong")
    if found == "parquet":
        return _parquet(real, path, columns)
    whole = head if len(head) < SAMPLE else head[: head.rfind(b"\n") + 1] or head
    return _json_lines(whole, path, columns) if found == "jsonl" else _delimited(whole, path, columns)


def has_columns(path: Path) -> bool:
    """Whether a file holds rows of columns, by its name or, for JSON lines and Parquet, by how it begins."""
    if path.suffix.lower() in CLAIMS:
        return True
    real = path.resolve()
    with opened(real.parent, real.name) as file:
        return _format(file.read(SAMPLE)) != "csv"


def _format(head: bytes) -> str:
    if head.startswith(b"PAR1"):
        return "parquet"
    starts = [line.lstrip()[:1] for line in head.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()]
    is_json = re.match(rb"\s*\[\s*\{", head) or starts.count(b"{") * 2 > len(starts)
    return "jsonl" if is_json or starts[:1] == [b"{"] else "csv"


def _parquet(real: Path, path: Path, columns: Columns) -> Parquet:
    from gazette.data.readers import parquet  # imports pyarrow

    _refuse_missing(parquet.columns(real.parent, real.name), path, columns)
    return Parquet(format="parquet", path=path.name, text=list(columns.text), label=columns.last)


def _json_lines(head: bytes, path: Path, columns: Columns) -> JsonLines:
    keys: dict[str, None] = {}
    for line in lines(BytesIO(head)):
        with suppress(ValueError, RecursionError):  # a bad line is for the reader to name
            found = json.loads(line.text)
            keys.update(dict.fromkeys(found if isinstance(found, dict) else ()))
    if keys:
        _refuse_missing(list(keys), path, columns)
    return JsonLines(format="jsonl", path=path.name, text=list(columns.text), label=columns.last)


def _delimited(head: bytes, path: Path, columns: Columns) -> Delimited:
    header = not all(re.fullmatch(r"[0-9]+", column) for column in columns.all)
    wanted: list[str | int] = [column if header else int(column) for column in columns.all]
    if 0 in wanted:
        raise Misconfigured(f"{path}: columns are counted from 1; {' or '.join(columns.options)} says 0")
    candidates = [
        tried
        for delimiter in DELIMITERS
        for quotes in (True, False)
        if (tried := _try(head, delimiter, quotes, wanted, columns))
    ]
    if not candidates:
        _refuse_missing(_widest(head, path, header), path, columns)
        raise BrokenContract(f"{path} can be read with none of the delimiters comma, semicolon, tab and bar")
    best = min(candidates, key=lambda tried: _rank(tried, candidates))
    if not header and columns.label is not None:
        _refuse_header(best, path, columns)
    return Delimited(
        format="csv",
        path=path.name,
        delimiter=best.delimiter,
        quotes=best.quotes,
        header=header,
        text=wanted[: len(columns.text)],
        label=wanted[-1],
    )


def _try(head: bytes, delimiter: str, quotes: bool, wanted: list[str | int], columns: Columns) -> Candidate | None:
    header = isinstance(wanted[-1], str)
    try:
        names, _ = delimited.first_row(BytesIO(head), Path(), delimiter, quotes, header)
        if not set(wanted) <= set(names):
            return None
        rows = list(delimited.rows(lines(BytesIO(head)), Path(), delimiter, quotes, len(names)))
    except BrokenContract:
        return None
    fields = [row.fields for row in rows if row.fields][header:]
    if not quotes and any(_all_quoted(column) for column in zip(*fields, strict=True)):
        return None
    last = names.index(wanted[-1])  # type: ignore[arg-type]
    rejects, labels = sum(bool(row.fault) for row in rows), [field[last] for field in fields]
    if len(names) == 1 and not header:
        rejects += 1 + len(rows) // WHOLE
    classes = len(set(labels)) if columns.label is not None and columns.role == "label" else 0
    return Candidate(delimiter, quotes, fields, rejects, labels, classes, quotes and any(map(_doubles, rows)))


def _doubles(row: delimited.Row) -> bool:
    written = "".join(line.text for line in row.lines) if any('"' in field for field in row.fields) else ""
    return any('"' in field and '"{}"'.format(field.replace('"', '""')) in written for field in row.fields)


def _all_quoted(column: tuple[str, ...]) -> bool:
    quoted = sum(len(field) > 1 and field[0] == field[-1] == '"' for field in column)
    return quoted >= QUOTED * len(column)


def _rank(tried: Candidate, all_tried: list[Candidate]) -> tuple[int, bool, int, int]:
    """Fewest rejects; quotes where they are usual; fewest labels; last, what is rare in a text before what is not.

    Between tabs a field is seldom quoted; a doubled quote inside a quoted one shows that it is.
    """
    usual = tried.delimiter != "\t" or any(other.doubles for other in all_tried if other.delimiter == "\t")
    order = "\t|;," if tried.rows and len(tried.rows[0]) > 1 else ",\t|;"  # a lone column is written as commas need it
    return tried.rejects, tried.quotes != usual, tried.classes, order.index(tried.delimiter)


def _widest(head: bytes, path: Path, header: bool) -> list[str] | list[int]:
    """The columns as the delimiter sees them that makes most; raises BrokenContract where there is no first row."""
    found = []
    for delimiter in DELIMITERS:
        with suppress(BrokenContract):
            found.append(delimited.first_row(BytesIO(head), path, delimiter, True, header)[0])
    return max(found, key=len) if found else delimited.first_row(BytesIO(head), path, ",", True, header)[0]


def _refuse_header(best: Candidate, path: Path, columns: Columns) -> None:
    first, others = best.labels[0], Counter(best.labels[1:])
    is_lone = bool(others) and first not in others and min(others.values()) > 1
    is_word = bool(others) and not first.isdecimal() and all(label.isdecimal() for label in others)
    if columns.role != "label" and is_word:
        raise Misconfigured(f"{path}, line 1 looks like a header: name its columns, not their positions")
    if columns.role != "label" or not (is_lone or is_word):
        return
    *text, label = (best.rows[0][int(column) - 1] for column in columns.all)
    options = [f"{columns.option}text {quoted(name)}" for name in text]
    names = " ".join([*options, f"{columns.option}label {quoted(label)}"])
    cure = "Take it out" if label.isdecimal() else f"Name its columns ({names})"
    raise Misconfigured(
        f"{path}, line 1 looks like a header: the label {quoted(label)} stands nowhere else. {cure}; if it is an "
        "article, it is the only one of its class and cannot be learned from"
    )


def _refuse_missing(names: Iterable[str | int], path: Path, columns: Columns) -> None:
    there = [str(name) for name in names]
    for column in columns.all:
        if there.count(column) != 1:
            wanted = int(column) if column.isdecimal() else column
            found, why = ("more than one", "") if column in there else ("no", headers.hint(wanted, there, ""))
            raise Misconfigured(
                f"{path}: {found} column {quoted(column, 40)} among {headers.listed(there)}{why}; "
                f"{' and '.join(columns.options)} name columns"
            )
