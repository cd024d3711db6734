"""A header of numbers, as pandas writes one (`,0,1`) and people number columns (`1,2`)."""

from io import BytesIO
from itertools import islice
from pathlib import Path

from prefect_dvc.core.errors import DataContractError

from gazette.data.readers.columns import Columns
from gazette.data.readers.delimited import SAMPLE_ROWS
from gazette.data.readers.delimited_rows import iter_rows
from gazette.data.readers.lines import iter_lines

MIN_SHARE = 0.9  # of the texts below a header that are not numbers


def is_numbered(rows: list[list[str]], texts: list[int]) -> bool:
    """Tell whether the first row counts its columns, from 0 or 1, and most texts in other rows are no numbers."""
    first, rest = [field.strip() for field in rows[0]], rows[1:]
    counted = [field for field in first if field]
    counts = [[str(start + place) for place in range(len(counted))] for start in (0, 1)]
    if len(counted) < 2 or counted not in counts or not rest:
        return False
    words = sum(any(not row[place].strip().isdecimal() for place in texts if place < len(row)) for row in rest)
    return words >= MIN_SHARE * len(rest)


def names_numbers(sample: bytes, path: Path, columns: Columns, delimiters: list[str]) -> bool:
    """Tell whether columns that are numbers can only be names in a header of numbers, or are the same as positions."""
    for delimiter in delimiters:
        parsed = iter_rows(iter_lines(BytesIO(sample)), path, delimiter, True, None)
        try:
            rows = [row.fields for row in islice(parsed, SAMPLE_ROWS) if row.fields]
        except DataContractError:
            continue
        names = [name.strip() for name in rows[0]] if rows else []
        if not set(columns.all) <= set(names):
            continue
        places = [names.index(column) for column in columns.all]
        if is_numbered(rows, places[: len(columns.text)]):
            return "0" in columns.all or [str(place + 1) for place in places] == list(columns.all)
    return False
