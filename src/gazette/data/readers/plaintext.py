"""Plain lines, each an article without a label. A blank line is a row too, so that rows are lines."""

from pathlib import Path

from gazette.core.encodings import PLAIN, Coding
from gazette.data.readers.lines import iter_lines
from gazette.data.readers.open import check_kind, open_raw
from gazette.data.readers.rows import ReadResult, RowCollector, Take


def read_lines(raw: Path, name: str, coding: Coding = PLAIN, take: Take | None = None) -> ReadResult:
    """Read every line of the file `name`; one that is not UTF-8, too long or contains NUL is a reject."""
    rows = RowCollector(name, take=take)
    with open_raw(raw, name, coding) as file:
        check_kind(file, raw / name)
        for line in iter_lines(file):
            text = line.text.rstrip("\r\n")
            if line.fault:
                rows.reject(line.number, line.fault, text)
            else:
                rows.accept(text, None, line.number)
    return rows.result()
