"""Raw files, row by row: DuckDB reads them, and keeps what it has to reject.

Every row comes back once: as an article (text, label, file, line) or as a reject (file, line, reason, seen).
"""

import csv
import glob
import re
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from gazette.errors import BrokenContract

SEEN = 200  # characters of a rejected row that are kept
MISPLACED = "not in a folder of its class: expected <class>/<file>"
_REJECT = {"file": pl.String, "line": pl.Int64, "reason": pl.String, "seen": pl.String}
SEARCHED = 1 << 24  # bytes that are searched at a time, so that memory stays flat


def read_folder(top: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A folder with one folder per class: a file is an article, its folder the label."""
    rows = duckdb.sql(
        "select filename, content, try(decode(content)) as text from read_blob($files) order by filename",
        params={"files": f"{glob.escape(str(top))}/**"},
    ).pl()
    paths = rows["filename"].map_elements(lambda name: Path(name).relative_to(top).as_posix(), return_dtype=pl.String)
    rows = rows.with_columns(
        text=pl.col("text").str.strip_chars(),
        label=paths.str.split("/").list.first(),
        file=paths,
        line=pl.lit(1, pl.Int64),
    ).filter(~pl.col("file").str.contains(r"(^|/)\."))  # what the system keeps there, .DS_Store and the like
    misplaced = pl.col("file").str.count_matches("/") != 1
    if rows.filter(~misplaced).is_empty():
        raise BrokenContract(f"{top}: no files in folders; expected one folder per class with one file per article")
    rejects = [(name, 1, MISPLACED, "") for name in rows.filter(misplaced)["file"]]
    unreadable = rows.filter(~misplaced & pl.col("text").is_null()).select("file", "content")
    rejects += [_not_utf8(name, content) for name, content in unreadable.iter_rows()]
    articles = rows.filter(~misplaced & pl.col("text").is_not_null()).select("text", "label", "file", "line")
    return articles, pl.DataFrame(rejects, schema=_REJECT, orient="row")


def read_delimited(
    raw: Path, name: str, delimiter: str, quote: str, header: bool, text: list[str | int], label: str | int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Separated values; a column is a name of the header or a position from 1, several of text joined by a line break.

    Raises BrokenContract where the file as a whole is not what it is described as.
    """
    path = raw / name
    if not path.exists():
        raise BrokenContract(f"{path}: no such file; the description names it. Is the corpus fetched or pulled?")
    names, height = _first_row(path, delimiter, quote, header)
    place = {wanted: _place(wanted, names, path) for wanted in [*text, label]}
    rows, errors = _query(path, delimiter, quote, header, len(names))
    breaks, blanks = _lines_of(path)
    rejects = _locate(errors, breaks)
    heights = rows.select(1 + pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True).fill_null(0)))
    taken = dict(rejects.select("line", "height").iter_rows()) | dict.fromkeys(blanks, 1)
    articles = rows.select(
        text=pl.concat_str([pl.col(place[column]).fill_null("") for column in text], separator="\n"),
        label=pl.col(place[label]).fill_null(""),
        file=pl.lit(name),
        line=pl.Series(_first_lines(heights.to_series(), taken, start=1 + height), dtype=pl.Int64),
    )
    return articles, rejects.select(file=pl.lit(name), line="line", reason="reason", seen=pl.col("seen").str.head(SEEN))


def _first_row(path: Path, delimiter: str, quote: str, header: bool) -> tuple[list[str | int], int]:
    """The columns, by name or by position, and how many lines stand before the first row of data."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        csv.field_size_limit(SEARCHED)
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE)
        first = next((row for row in reader if row), [])
        return (list(first), reader.line_num) if header else (list(range(1, len(first) + 1)), 0)


def _place(wanted: str | int, names: list[str | int], path: Path) -> str:
    if names.count(wanted) != 1:
        found = "no column" if wanted not in names else "more than one column"
        raise BrokenContract(
            f"{path}, line 1: {found} {wanted!r} among {names}; correct the corpus's description or the file"
        )
    return f"c{names.index(wanted)}"


def _query(path: Path, delimiter: str, quote: str, header: bool, width: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that DuckDB accepts, and for each it rejects its first byte, its text and the reasons."""
    columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(width))
    database = duckdb.connect()
    try:
        rows = database.sql(
            f"""select * from read_csv($path, header={header}, delim=$delimiter, quote=$quote, escape=$quote,
                columns={{{columns}}}, auto_detect=false, store_rejects=true, strict_mode=true)""",
            params={"path": glob.escape(str(path)), "delimiter": delimiter, "quote": quote},
        ).pl()
    except duckdb.Error as error:
        raise BrokenContract(f"{path} cannot be read as its description says: {error}") from None
    errors = database.sql(
        """select any_value(line_byte_position - 1) as at, any_value(csv_line) as seen,
            string_agg(distinct fault, '; ' order by fault) as reason
            from (select *, lower(error_type) || ': ' || error_message as fault from reject_errors)
            group by line_byte_position order by 1"""
    ).pl()
    return rows, errors


def _lines_of(path: Path) -> tuple[np.ndarray, list[int]]:
    """The offsets of a file's line feeds, and the numbers of its blank lines."""
    content = np.memmap(path, np.uint8, mode="r")
    blocks = range(0, len(content), SEARCHED)
    breaks = np.concatenate([np.flatnonzero(content[start : start + SEARCHED] == 10) + start for start in blocks])
    widths = np.diff(breaks, prepend=-1)
    returns = content[np.maximum(breaks - 1, 0)] == 13
    return breaks, (np.flatnonzero((widths == 1) | ((widths == 2) & returns)) + 1).tolist()


def _locate(errors: pl.DataFrame, breaks: np.ndarray) -> pl.DataFrame:
    """Adds line and height (in lines) to rejects, which DuckDB places by byte; its own line counts rows."""
    blank = pl.col("seen").str.extract(r"^([\r\n]*)").str.count_matches("\n", literal=True).cast(pl.Int64)
    text = pl.col("seen").str.strip_chars("\r\n")
    first = pl.Series(np.searchsorted(breaks, errors["at"].to_numpy()) + 1, dtype=pl.Int64)
    height = 1 + text.str.count_matches("\n", literal=True).cast(pl.Int64)
    return errors.with_columns(line=first + blank, height=height, seen=text).sort("line")


def _first_lines(heights: pl.Series, taken: dict[int, int], start: int) -> list[int]:
    """First line of each accepted row: rows follow one another, but for the lines `taken` by rejects and blanks."""
    lines, line = [], start
    for height in heights:
        while line in taken:
            line += taken[line]
        lines.append(line)
        line += height
    return lines


def _not_utf8(file: str, content: bytes) -> tuple[str, int, str, str]:
    text = content.decode("utf-8", "surrogateescape")
    bad = next(re.finditer("[\udc80-\udcff]", text))
    around = text[max(0, bad.start() - SEEN // 2) : bad.start() + SEEN // 2]
    return (
        file,
        text.count("\n", 0, bad.start()) + 1,
        f"not UTF-8: byte 0x{ord(bad.group()) - 0xDC00:x} (save the file as UTF-8)",
        around.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"),
    )
