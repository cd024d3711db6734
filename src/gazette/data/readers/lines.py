"""A text file as numbered lines, each with what is wrong with its bytes."""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from gazette.core.limits import MAX_LINE
from gazette.data.readers.streams import MARK

TOO_LONG = f"line too long: more than {MAX_LINE:,} bytes; is a line break missing, or a quote never closed?"
BOM = b"\xef\xbb\xbf"
MARKS = re.compile(rb"\xed[\xb0-\xb3][\x80-\xbf]")  # of `streams.transcode`, in bytes


class Line(NamedTuple):
    """A physical line with its line end; `fault` is None, or why it cannot be read (`text` is then an excerpt)."""

    number: int
    text: str
    fault: str | None


def iter_lines(file: BinaryIO) -> Iterator[Line]:
    """Yield the lines of a file, from 1. Only LF and CRLF end a line. Memory stays below MAX_LINE."""
    number = 0
    while raw := file.readline(MAX_LINE):
        number += 1
        if number == 1:
            raw = raw.removeprefix(BOM)
        if len(raw) == MAX_LINE and raw[-1:] != b"\n":
            while (rest := file.readline(MAX_LINE)) and rest[-1:] != b"\n":
                pass
            yield Line(number, raw[:1000].decode("utf-8", "replace"), TOO_LONG)
        else:
            yield decode_line(number, raw)


def decode_line(number: int, raw: bytes) -> Line:
    """Return the bytes of a line as text, or with what is wrong with them."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if mark := MARKS.match(raw, error.start):
            shown = MARKS.sub(lambda mark: rb"\x%02x" % _marked(mark[0]), raw).decode("utf-8", "replace")
            fault = f"not in the file's encoding: byte 0x{_marked(mark[0]):02x}; is `encoding:` right?"
            return Line(number, shown, fault)
        return Line(number, raw.decode("utf-8", "backslashreplace"), encoding_fault(raw, error))
    if "\0" in text:
        return Line(number, text, "NUL character: the file was damaged, or truncated while it was written")
    return Line(number, text, None)


def _marked(mark: bytes) -> int:
    """Return the byte that `streams.transcode` marked, since the encoding of the file does not have it."""
    return ord(mark.decode("utf-8", "surrogatepass")) - MARK


def encoding_fault(raw: bytes, error: UnicodeDecodeError) -> str:
    """Describe the first byte that is not UTF-8."""
    is_cut = error.reason == "unexpected end of data" or error.end - error.start > 1
    cause = "a character is cut off; " if is_cut else ""
    place = f"byte 0x{raw[error.start]:02x} at position {error.start + 1}"
    return f"not UTF-8: {place} ({cause}save the file as UTF-8, or name its encoding)"
