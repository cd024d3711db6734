"""Batches of Parquet in which every row is an article, read without a loop over rows: the most common ones."""

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from gazette.core.limits import MAX_FIELD

MAX_BYTES = 1 << 24  # of a column of a batch, with every text that a dictionary repeats
Columns = dict[str, pa.Array]


def find_strings(arrays: Columns) -> Columns | None:
    """Return the values as strings if none is null, empty, too long, no UTF-8 or has a NUL, and None otherwise."""
    strings = {}
    for column, array in arrays.items():
        if array.null_count or count_bytes(array) > MAX_BYTES:
            return None
        values = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
        if pa.types.is_integer(values.type):
            strings[column] = values.cast(pa.large_string())
        elif _are_plain(values):
            strings[column] = values
        else:
            return None
    return strings


def _are_plain(values: pa.Array) -> bool:
    try:
        values.validate(full=True)  # Arrow does not check that strings are UTF-8
    except pa.ArrowInvalid:
        return False
    lengths = pc.min_max(pc.utf8_length(values)).as_py()
    fit = not values.null_count and lengths["min"] and lengths["max"] <= MAX_FIELD
    return bool(fit and not pc.any(pc.match_substring(values, "\0")).as_py())


def join(strings: Columns, text: list[str], label: str | None, date: str | int | None, first: int) -> pl.DataFrame:
    """Return a table of text, label, date and line, of which `first` is the first."""
    values = {column: pl.Series(pl.from_arrow(array)) for column, array in strings.items()}
    empty = pl.lit(None, pl.String)
    return pl.DataFrame(values).select(
        text=pl.concat_str(text, separator="\n"),
        label=empty if label is None else pl.col(label),
        date=empty if date is None else pl.col(str(date)),
        line=pl.int_range(first, first + pl.len()),
    )


def count_bytes(array: pa.Array) -> int:
    """Return the bytes of all values, with every one that a dictionary repeats; 0 for numbers."""
    if not pa.types.is_dictionary(array.type) or pa.types.is_integer(array.dictionary.type):
        return 0
    return pc.sum(pc.binary_length(array.dictionary).take(array.indices)).as_py() or 0
