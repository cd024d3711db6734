"""Dates and timestamps of Parquet, as text."""

import pyarrow as pa

UNIT = "us"  # in nanoseconds, pyarrow's unit for INT96, the year 9999 wraps to 1816
INT96 = {"coerce_int96_timestamp_unit": UNIT}


def write_instants(array: pa.Array) -> pa.Array:
    """Return dates and timestamps as ISO 8601, in UTC if they have a time zone; other columns as they are."""
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp(UNIT, array.type.tz and "UTC"), safe=False)
    return array.cast(pa.string()).dictionary_encode() if pa.types.is_temporal(array.type) else array
