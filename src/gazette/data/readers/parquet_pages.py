"""How large the pages of a Parquet file are once unpacked: their headers say so, and pyarrow does not ask in time.

Footer and headers are structs in Thrift's compact protocol; names of fields are those of parquet.thrift.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

WINDOW = 1 << 16  # bytes in which a header ends; statistics in it hold values
DEPTH = 12  # of structs and lists in each other
ROW_GROUPS, COLUMNS, META_DATA = 4, 1, 3
PATH_IN_SCHEMA, TOTAL_COMPRESSED, DATA_PAGE, DICTIONARY_PAGE = 3, 7, 9, 11
UNCOMPRESSED, COMPRESSED = 2, 3


def unpacked(file: BinaryIO, footer: bytes, wanted: list[str]) -> Iterator[tuple[str, int]]:
    """Column and size of each page of the columns `wanted`.

    Raises LookupError, TypeError, ValueError or AttributeError where footer or headers are none.
    """
    for group in _struct(footer, 0, 0)[0][ROW_GROUPS]:
        for column in group[COLUMNS]:
            chunk = column[META_DATA]
            name = b".".join(chunk[PATH_IN_SCHEMA]).decode()
            if name in wanted:
                start = min(place for key in (DATA_PAGE, DICTIONARY_PAGE) if (place := chunk.get(key)))
                for size in _sizes(file, start, start + chunk[TOTAL_COMPRESSED]):
                    yield name, size


def _sizes(file: BinaryIO, start: int, end: int) -> Iterator[int]:
    while start < end:
        file.seek(start)
        header, length = _struct(file.read(WINDOW), 0, 0)
        if min(header[UNCOMPRESSED], header[COMPRESSED]) < 0:
            raise ValueError("a page of less than no bytes")
        yield header[UNCOMPRESSED]
        start += length + header[COMPRESSED]


def _struct(data: bytes, at: int, depth: int) -> tuple[dict[int, Any], int]:
    """The fields of a struct by their numbers, and where it ends."""
    found, number = {}, 0
    while head := data[at]:
        at += 1
        if head >> 4:
            number += head >> 4
        else:
            number, at = _integer(data, at)
        found[number], at = _value(data, at, head & 15, depth + 1)
    return found, at + 1


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if depth > DEPTH:
        raise ValueError("nested too deeply")
    if kind in (1, 2):  # true and false, which have no bytes
        return kind == 1, at
    if kind == 3:
        return data[at], at + 1
    if kind in (4, 5, 6):
        return _integer(data, at)
    if kind == 7:
        return None, at + 8
    if kind == 8:
        length, at = _varint(data, at)
        return data[at : at + length], at + length
    if kind == 9:
        return _list(data, at, depth)
    if kind == 12:
        return _struct(data, at, depth)
    raise ValueError("a type that Parquet has not")


def _list(data: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    length, kind = data[at] >> 4, data[at] & 15
    at += 1
    if length == 15:
        length, at = _varint(data, at)
    found = []
    for _ in range(length):
        value, at = _value(data, at, 3 if kind in (1, 2) else kind, depth + 1)  # in a list, true and false have a byte
        found.append(value)
    return found, at


def _integer(data: bytes, at: int) -> tuple[int, int]:
    value, end = _varint(data, at)
    return (value >> 1) ^ -(value & 1), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return value, at
    raise ValueError("a number of more than ten bytes")
