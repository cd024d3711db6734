"""Plain lines: each is an article, without a label. A blank line is a row too, so that rows are lines."""

from pathlib import Path

from gazette.core.errors import BrokenContract
from gazette.core.limits import MAX_ROWS
from gazette.data.readers.lines import lines
from gazette.data.readers.open import opened, refuse_other_kinds
from gazette.data.readers.rows import Contents, Sheet


def read(raw: Path, name: str) -> Contents:
    """Every line of the file `name`; one that is not UTF-8, is too long or holds a NUL is a reject."""
    sheet = Sheet(name)
    with opened(raw, name) as file:
        refuse_other_kinds(file, raw / name)
        for line in lines(file):
            text = line.text.rstrip("\r\n")
            if line.fault:
                sheet.reject(line.number, line.fault, text)
            else:
                sheet.accept(text, None, line.number)
            if sheet.rows > MAX_ROWS:
                raise BrokenContract(f"{raw / name} has more than {MAX_ROWS:,} rows; split it into several files")
    return sheet.contents()
