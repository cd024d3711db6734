"""Physical lines and what is wrong with their bytes."""

import io

import pytest

from gazette.core.limits import MAX_LINE
from gazette.data.readers.lines import TOO_LONG, encoding_fault, iter_lines
from gazette.data.readers.streams import MARK


def lines(content: bytes) -> list[tuple[int, str, str | None]]:
    return [tuple(line) for line in iter_lines(io.BytesIO(content))]  # type: ignore[misc]


def test_a_line_ends_in_lf_alone_and_keeps_its_end() -> None:
    assert lines(b"a\r\nb\rc\x0b\n\nd") == [
        (1, "a\r\n", None), (2, "b\rc\x0b\n", None), (3, "\n", None), (4, "d", None)
    ]  # fmt: skip
    assert lines(b"") == []


def test_a_mark_is_none_of_the_text_in_the_first_line_alone() -> None:
    assert lines(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n") == [(1, "a\n", None), (2, "\ufeffb\n", None)]


def test_a_line_of_the_most_bytes_is_read_and_of_a_longer_one_an_excerpt() -> None:
    most = b"x" * (MAX_LINE - 1) + b"\n"
    assert lines(most + b"y\n") == [(1, most.decode(), None), (2, "y\n", None)]
    for longer in (b"x" * MAX_LINE, b"x" * (3 * MAX_LINE + 5), b"x" * (2 * MAX_LINE - 1)):
        assert lines(longer + b"\ny\n") == [(1, "x" * 1000, TOO_LONG), (2, "y\n", None)]
        assert lines(longer) == [(1, "x" * 1000, TOO_LONG)]


def test_nul_is_a_fault_and_bytes_that_are_not_utf_8_are_shown() -> None:
    assert lines(b"a\0b\n") == [(1, "a\0b\n", "NUL character: the file was damaged, or truncated while it was written")]
    ((number, text, fault),) = lines(b"caf\xe9\n")
    assert (number, text) == (1, "caf\\xe9\n")
    assert fault == "not UTF-8: byte 0xe9 at position 4 (save the file as UTF-8, or name its encoding)"


def test_a_byte_that_was_marked_as_none_of_the_encoding_is_shown() -> None:
    marks = [chr(MARK + byte).encode("utf-8", "surrogatepass") for byte in (0x80, 0xFF)]
    fault = "not in the file's encoding: byte 0x80; is `encoding:` right?"
    assert lines(b"a" + marks[0] + b"b" + marks[1] + b"\nc\n") == [(1, "a\\x80b\\xff\n", fault), (2, "c\n", None)]


@pytest.mark.parametrize(
    ("raw", "position", "cause"),
    [
        (b"a\xe4\xb8", 2, "a character is cut off; "),
        (b"a\xe4\xb8b", 2, "a character is cut off; "),
        ("中文".encode("gbk"), 1, ""),
        (b"\x7f\x80", 2, ""),
        (b"\xa0", 1, ""),
    ],
)
def test_the_first_bad_byte_has_a_place_and_no_guess_at_its_encoding(raw: bytes, position: int, cause: str) -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        raw.decode("utf-8")
    place = f"byte 0x{raw[position - 1]:02x} at position {position}"
    fault = encoding_fault(raw, caught.value)
    assert fault == f"not UTF-8: {place} ({cause}save the file as UTF-8, or name its encoding)"
