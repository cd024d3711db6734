"""One look at all bytes of a file: which lines are UTF-8, and a sample of the others from all over the file."""

from dataclasses import dataclass, field
from typing import BinaryIO

from gazette.core.limits import MAX_LINE

HEAD = 1 << 12  # bytes in which marks and NULs tell UTF-16 and UTF-32
BLOCK = 1 << 15  # bytes of consecutive lines in the sample
MAX_BLOCKS = 16  # spread over the file
GROUP_BYTES = 40  # bytes beyond ASCII in the parts that must agree
MAX_GROUPS = 64
NUL_SHARE, ONE_SIDE, MIN_NULS = 0.02, 0.95, 5  # of a head in UTF-16: its ASCII characters have NULs, all on one side
BOMS = {
    b"\xef\xbb\xbf": "utf-8", b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16",
}  # fmt: skip
JIS = (b"\x1b$B", b"\x1b$@", b"\x1b(J")  # escapes into Japanese


@dataclass
class Survey:
    """What the bytes of a file show."""

    certain: str | None = None  # an encoding that needs no guess
    lines: int = 0
    valid: int = 0  # lines that are UTF-8, but not ASCII
    invalid: int = 0  # lines that are not UTF-8
    last_valid: int = 0  # the number of the last that is
    first_invalid: int = 0  # the number of the first that is not
    first: bytes = b""  # that line
    blocks: list[bytes] = field(default_factory=list)  # of such lines
    present: bytes = b""  # every byte of the file beyond ASCII, once

    @property
    def sample(self) -> bytes:
        """The lines of all blocks."""
        return b"".join(self.blocks)

    @property
    def groups(self) -> list[bytes]:
        """Neighboring lines with `GROUP_BYTES` beyond ASCII each, from all over the sample."""
        groups, group = [], b""
        for line in self.sample.splitlines(keepends=True):
            group += line
            if count_high(group) >= GROUP_BYTES:
                groups.append(group)
                group = b""
        return groups[:: -(-len(groups) // MAX_GROUPS)] if groups else []


def count_high(data: bytes) -> int:
    """Count the bytes beyond ASCII."""
    return len(data) - len(data.decode("ascii", "ignore"))


def survey_file(file: BinaryIO) -> Survey:
    """Look at all lines of a file."""
    head = file.read(HEAD)
    file.seek(0)
    certain = next((name for mark, name in BOMS.items() if head.startswith(mark)), None) or _unmarked_utf16(head)
    if certain:
        return Survey(certain)
    survey, block, number, stride, present = Survey(), bytearray(), 0, 1, set[int]()
    escaped, blocks = False, 0
    while line := file.readline(MAX_LINE):
        number += 1
        if line.isascii():
            escaped = escaped or (b"\x1b" in line and any(escape in line for escape in JIS))
            continue
        if _is_utf8(line):
            survey.valid, survey.last_valid = survey.valid + 1, number
            continue
        if not survey.invalid:
            survey.first_invalid, survey.first = number, line[:1000]
        survey.invalid += 1
        present.update(line)
        block += line
        if len(block) >= BLOCK:
            if blocks % stride == 0:
                survey.blocks.append(bytes(block))
            blocks, block = blocks + 1, bytearray()
            if len(survey.blocks) == MAX_BLOCKS:
                survey.blocks, stride = survey.blocks[::2], stride * 2
    survey.lines = number
    survey.blocks.append(bytes(block))
    survey.present = bytes(sorted(byte for byte in present if byte > 0x7F))
    if not survey.invalid:
        survey.certain = "iso-2022-jp" if escaped and not survey.valid else "utf-8"
    return survey


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _unmarked_utf16(head: bytes) -> str | None:
    """Recognize UTF-16 without a mark by the NULs of its ASCII characters, which all stand on one side."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if even + odd < max(MIN_NULS, NUL_SHARE * len(head)) or max(even, odd) < ONE_SIDE * (even + odd):
        return None
    text = head[: len(head) // 2 * 2].decode("utf-16-le" if odd > even else "utf-16-be", "replace")
    letters = {char for char in text if char.isascii()}
    if len(head) % 2 or "\0" in letters or "\n" not in letters or len(letters) < MIN_NULS:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"
