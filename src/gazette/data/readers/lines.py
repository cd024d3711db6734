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
            _skip_line(file)
            yield Line(number, raw[:1000].decode("utf-8", "replace"), TOO_LONG)
        else:
            yield decode_line(number, raw)


def _skip_line(file: BinaryIO) -> None:
    while (rest := file.readline(MAX_LINE)) and rest[-1:] != b"\n":
        pass


def decode_line(number: int, raw: bytes) -> Line:
    """Return the bytes of a line as text, or with what is wrong with them."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if fault := _transcoding_fault(raw[error.start :]):
            return Line(
                number, MARKS.sub(lambda mark: rb"\x%02x" % _marked(mark[0]), raw).decode("utf-8", "replace"), fault
            )
        return Line(number, raw.decode("utf-8", "backslashreplace"), encoding_fault(raw, error))
    if "\0" in text:
        return Line(number, text, "NUL character: the file was damaged, or truncated while it was written")
    return Line(number, text, None)


def _transcoding_fault(rest: bytes) -> str | None:
    """Describe a byte that `streams.transcode` marked, since the encoding of the file does not have it."""
    mark = MARKS.match(rest)
    return f"not in the file's encoding: byte 0x{_marked(mark[0]):02x}; is `encoding:` right?" if mark else None


def _marked(mark: bytes) -> int:
    return ord(mark.decode("utf-8", "surrogatepass")) - MARK


def _is_gb18030(raw: bytes) -> bool:
    """Tell whether the next non-ASCII bytes are two common Chinese characters of GB 2312."""
    return len(raw) > 3 and all(0xB0 <= byte <= 0xF7 for byte in raw[0:4:2]) and min(raw[:4]) >= 0xA1


def encoding_fault(raw: bytes, error: UnicodeDecodeError) -> str:
    """Describe the first byte that is not UTF-8, with a guess at the real encoding."""
    byte = raw[error.start]
    if error.reason == "unexpected end of data" or error.end - error.start > 1:
        guess = "a character is cut off"
    elif _is_gb18030(raw[error.start :]):
        guess = "probably GB 18030 or GBK"
    elif 0x80 <= byte <= 0x9F:
        guess = "probably Windows-1252, or damaged"
    else:
        guess = "probably Latin-1 or Windows-1252"
    return f"not UTF-8: byte 0x{byte:02x} at position {error.start + 1} ({guess}; save the file as UTF-8)"
