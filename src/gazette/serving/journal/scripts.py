"""The script of a text, which costs microseconds; to identify its language takes fifty times as long."""

import re

import numpy as np

CHARACTERS = 300  # of a text, from its start, that decide
SCRIPTS = ("", "Latn", "Grek", "Cyrl", "Armn", "Hebr", "Arab", "Deva", "Beng", "Taml", "Telu", "Thai", "Geor", "Ethi",
           "Hani", "Jpan", "Kore")  # fmt: skip
_RANGES = [  # the blocks of Unicode with the letters of each
    ("Latn", 0xC0, 0x24F), ("Latn", 0x1E00, 0x1EFF), ("Grek", 0x370, 0x3FF), ("Grek", 0x1F00, 0x1FFF),
    ("Cyrl", 0x400, 0x52F), ("Armn", 0x531, 0x58F), ("Hebr", 0x5D0, 0x5EA), ("Arab", 0x620, 0x77F),
    ("Arab", 0x8A0, 0x8FF), ("Arab", 0xFB50, 0xFDFF), ("Arab", 0xFE70, 0xFEFC), ("Deva", 0x900, 0x97F),
    ("Beng", 0x980, 0x9FF), ("Taml", 0xB80, 0xBFF), ("Telu", 0xC00, 0xC7F), ("Thai", 0xE01, 0xE4E),
    ("Geor", 0x10A0, 0x10FF), ("Ethi", 0x1200, 0x139F), ("Hani", 0x3400, 0x4DBF), ("Hani", 0x4E00, 0x9FFF),
    ("Jpan", 0x3041, 0x30FF), ("Kore", 0x1100, 0x11FF), ("Kore", 0xAC00, 0xD7A3),
]  # fmt: skip
_TABLE = np.zeros(0x10000, np.uint8)
_TABLE[[*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1)]] = SCRIPTS.index("Latn")
for _name, _first, _last in _RANGES:
    _TABLE[_first : _last + 1] = SCRIPTS.index(_name)
_LETTER = re.compile(r"[A-Za-z]")
_LETTERS_OF_A_WORD = 5  # a Latin word in a Chinese headline is worth one character
_MIN_KANA = 0.1  # of the letters of East Asia, above which a text is Japanese


def language(text: str) -> str:
    """Return the language of a text as far as its letters tell: the script (BCP 47: `und-Latn`), or nothing."""
    start = text[:CHARACTERS]
    if start.isascii():
        return "und-Latn" if _LETTER.search(start) else ""
    codes = np.frombuffer(start.encode("utf-32-le", "replace"), np.uint32)
    _, *letters = np.bincount(_TABLE.take(codes, mode="clip"), minlength=len(SCRIPTS)).tolist()
    counts = dict(zip(SCRIPTS[1:], letters, strict=True))
    if both := counts["Hani"] + counts["Jpan"] + counts["Kore"]:
        counts["Latn"] //= _LETTERS_OF_A_WORD
        if counts["Jpan"] > _MIN_KANA * both:
            counts["Jpan"] += counts["Hani"]
    best = max(counts, key=counts.__getitem__)
    return f"und-{best}" if counts[best] else ""
