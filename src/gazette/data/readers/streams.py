"""Bytes of a file on their way to a reader: unpacked, then as UTF-8, a chunk at a time."""

import codecs
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

CHUNK = 1 << 16  # bytes read at a time
MARK = 0xDC00  # plus a byte that could not be decoded: a surrogate, which is no UTF-8, so its line is a reject


class Stream(io.RawIOBase):
    """Chunks of bytes as a file that can be read again from its start."""

    def __init__(self, restart: Callable[[], Iterator[bytes]]) -> None:
        self._restart = restart
        self._chunks, self._rest, self._position = restart(), b"", 0

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true: to the start."""
        return True

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Start again; raises UnsupportedOperation for any other place."""
        if (offset, whence) != (0, io.SEEK_SET):
            raise io.UnsupportedOperation("only the start can be sought")
        self._chunks, self._rest, self._position = self._restart(), b"", 0
        return 0

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer; 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        part = self._rest[: len(buffer)]
        buffer[: len(part)] = part
        self._rest = self._rest[len(part) :]
        self._position += len(part)
        return len(part)


def open_stream(restart: Callable[[], Iterator[bytes]]) -> BinaryIO:
    """Return chunks as a buffered file."""
    return io.BufferedReader(Stream(restart), CHUNK)


def read_chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of a file from its start."""
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def transcode(chunks: Iterator[bytes], codec: str) -> Iterator[bytes]:
    """Yield the text in UTF-8, with a `MARK` for each byte that the codec does not know."""
    decoder = codecs.getincrementaldecoder(codec)("gazette.mark")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", True).encode("utf-8", "surrogatepass")


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(MARK + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("gazette.mark", _mark)
