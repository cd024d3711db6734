"""Encodings and compressions of raw files, by the names that descriptions and options use."""

import codecs
from typing import Literal, NamedTuple

Compression = Literal["gzip", "bzip2", "xz", "zstd", "zip"]

# The codec that decodes each, a superset of the standard as in browsers (WHATWG): of GBK, Shift-JIS and EUC-KR, most
# files are in what Windows made of them.
CODECS = {
    "utf-8": "utf-8-sig",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "utf-32": "utf-32",
    "gb18030": "gb18030",
    "big5": "cp950",
    "big5-hkscs": "big5hkscs",
    "shift_jis": "cp932",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp_ext",
    "euc-kr": "cp949",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "windows-874": "cp874",
    **{f"windows-{number}": f"cp{number}" for number in range(1250, 1259)},
    **{f"iso-8859-{number}": f"iso8859_{number}" for number in range(1, 17) if number != 12},
    **{f"ibm{number}": f"cp{number}" for number in (437, 850, 852, 855, 866)},
}
ALIASES = {
    "gbk": "gb18030", "gb2312": "gb18030", "cp949": "euc-kr", "euc_kr": "euc-kr", "cp932": "shift_jis",
    "shift_jis": "shift_jis", "big5": "big5", "iso2022_jp": "iso-2022-jp", "ascii": "utf-8", "utf-8": "utf-8",
}  # fmt: skip
TITLES = {
    "gb18030": "GB 18030 (GBK)", "big5": "Big5", "shift_jis": "Shift-JIS", "windows-1252": "Windows-1252",
    "iso-8859-1": "Latin-1",
}  # fmt: skip


class Coding(NamedTuple):
    """How the bytes of a file become text; without an encoding, they stay bytes."""

    encoding: str | None = "utf-8"
    compression: Compression | None = None


PLAIN = Coding()


def canonical_name(name: str) -> str:
    """Return the name in `CODECS` of an encoding, also for an alias such as `cp1252`; raises ValueError if unknown."""
    try:
        codec = codecs.lookup(name.strip()).name
    except LookupError:
        codec = ""
    names = {codecs.lookup(codec).name: name for name, codec in CODECS.items()} | ALIASES
    if name.strip().lower() in CODECS:
        return name.strip().lower()
    if codec not in names:
        raise ValueError(f"unknown encoding {name!r}; known are {', '.join(CODECS)}")
    return names[codec]


def title(encoding: str) -> str:
    """Return how to write an encoding in a sentence."""
    return TITLES.get(encoding, encoding.upper())
