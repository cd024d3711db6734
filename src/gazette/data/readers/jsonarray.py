"""A JSON array of objects, parted into its elements as it streams by; each is then parsed like a line of JSON lines."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from prefect_dvc.core.errors import DataContractError

from gazette.core.limits import MAX_LINE
from gazette.data.readers.lines import BOM, Line, decode_line
from gazette.data.readers.streams import CHUNK

OUTSIDE = re.compile(rb'["\[\]{},]')
INSIDE = re.compile(rb'["\\]')  # a string
OPEN, CLOSE = (b"[", b"{"), (b"]", b"}")
TOO_LONG = f"element too long: more than {MAX_LINE:,} bytes; is a quote never closed?"
CUT_OFF = "the file ends before the array does: was it truncated?"


class Element:
    """The bytes of an element so far: all of them, or of a long one an excerpt."""

    def __init__(self, number: int) -> None:
        self.number, self.size, self.content = number, 0, bytearray()

    def add(self, part: bytes) -> None:
        """Append bytes."""
        self.size += len(part)
        self.content += part[: MAX_LINE + 1 - len(self.content)]

    def line(self, fault: str | None = None) -> Line:
        """Return the element as a line."""
        if fault or self.size > MAX_LINE:
            return Line(self.number, self.content[:1000].decode("utf-8", "replace"), fault or TOO_LONG)
        return decode_line(self.number, bytes(self.content))


def iter_elements(file: BinaryIO, path: Path) -> Iterator[Line]:
    """Yield the elements of an array, numbered from 1, in bounded memory; blank ones too, as after a last comma.

    Raises DataContractError if the file is no array, or something follows it.
    """
    tokens = _tokens(file, path)
    element, depth = Element(1), 0
    for part, token in tokens:
        element.add(part)
        if depth == 0 and token in (b",", b"]"):
            yield element.line()
            if token == b"]":
                break
            element = Element(element.number + 1)
        else:
            element.add(token)
            depth += (token in OPEN) - (token in CLOSE)
    else:
        yield element.line(CUT_OFF)
        return
    if any((part + token).strip() for part, token in tokens):
        raise DataContractError(f"{path}: something follows the array, which ends after {element.number:,} elements")


def _tokens(file: BinaryIO, path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield each character of JSON's structure outside strings after the bytes before it; at a chunk's end, none."""
    rest = file.read(CHUNK).removeprefix(BOM).lstrip()
    if not rest.startswith(b"["):
        raise DataContractError(f"{path} is not a JSON array: it must begin with a bracket, [")
    start, is_string, is_escaped = 1, False, False
    while rest:
        place = start
        if is_escaped:
            place, is_escaped = place + 1, False
        while match := (INSIDE if is_string else OUTSIDE).search(rest, place):
            place = match.end()
            if match[0] == b"\\":
                is_escaped = place == len(rest)
                place += 1
            elif match[0] == b'"':
                is_string = not is_string
            else:
                yield rest[start : match.start()], match[0]
                start = place
        yield rest[start:], b""
        rest, start = file.read(CHUNK), 0
