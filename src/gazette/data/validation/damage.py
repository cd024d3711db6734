"""Damaged texts: mojibake, lost characters, markup, control characters."""

from functools import cache
from html.entities import name2codepoint
from itertools import product

import polars as pl
from ftfy.badness import MOJIBAKE_CATEGORIES, is_bad

ELEMENTS = (
    "a|abbr|b|big|blockquote|body|br|center|cite|code|dd|div|dl|dt|em|embed|font|form|h[1-6]|head|hr|html|i|iframe|img|"
    "input|ins|li|link|meta|object|ol|option|p|param|pre|script|select|small|span|strike|strong|style|sub|sup|table|"
    "tbody|td|th|thead|title|tr|tt|u|ul|video"
)
MARKUP = (
    rf"</?(?:{ELEMENTS})(?:\s[^<>]*)?/?>|<!--|<!doctype|<!\[cdata"
    rf"|&(?:{'|'.join(sorted({name.lower() for name in name2codepoint}))}|#\d{{2,5}}|#x[\da-f]{{2,5}});"
    r"|#(?:3[4689]|6[02]|\d{3,4});|\b(?:amp|quot|nbsp|apos|[lg]t|[lr][sd]quo|[mn]dash|hellip);"  # without the ampersand
)
CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}]"
FLAGS = ("mojibake", "replacement_character", "markup", "control_characters")
PADDING = "锟斤拷|烫烫烫|屯屯屯|锘縗"  # two U+FFFD in UTF-8 read as GBK; uninitialized memory in GBK; a byte order mark


def damage_patterns() -> dict[str, str]:
    """Return for each flag the pattern of the damage, to show an article from there."""
    patterns = {"markup": f"(?i:{MARKUP})", "replacement_character": "\ufffd", "control_characters": CONTROL}
    return {**patterns, "mojibake": f"{_utf8_as_gbk()}|{_suspicious()}"}


def flag_damage(articles: pl.DataFrame) -> pl.DataFrame:
    """Return four columns, true if a row is damaged.

    mojibake: decoded with a wrong encoding (ftfy's heuristic for Western encodings and for Chinese read as Latin-1; for
    UTF-8 read as GBK, character sequences that Chinese does not have). replacement_character: a character was lost
    (U+FFFD). markup: HTML tags or entities that the normalizer leaves in, even without their ampersand.
    control_characters: C0 and C1 except tab and line breaks, and bidirectional controls.
    """
    text = pl.col("text")
    return articles.select(
        mojibake=text.str.contains(_utf8_as_gbk()) | _is_bad(articles["text"]),
        replacement_character=text.str.contains("\ufffd", literal=True),
        markup=pl.col("key").str.contains(MARKUP),
        control_characters=text.str.contains(CONTROL),
    )


def _is_bad(texts: pl.Series) -> pl.Series:
    """Apply ftfy's heuristic, but only to suspicious rows; a lost character is no evidence."""
    present = texts.str.replace_all("\ufffd", "", literal=True)
    suspects = present.str.contains(_suspicious())
    pairs = zip(present, suspects, strict=True)
    return pl.Series([suspect and is_bad(text) for text, suspect in pairs], dtype=pl.Boolean)


@cache
def _suspicious() -> str:
    """Return what all of ftfy's patterns contain: two non-ASCII neighbors, one from mojibake, or Â, Ã, Œ, œ, C1."""
    known = "".join(MOJIBAKE_CATEGORIES.values())
    return rf"[{known}][^\x00-\x7f]|[^\x00-\x7f][{known}]|[ÂÃŒœ\x80-\x9f]"


@cache
def _utf8_as_gbk() -> str:
    """Return the pairs that UTF-8 read as GBK produces: the six bytes of two characters become three."""
    lead, trail = range(0xE4, 0xEA), range(0x80, 0xC0)
    return "".join(_decode(*pair) for pair in ((lead, trail), (trail, lead), (trail, trail))) + "|" + PADDING


def _decode(first: range, second: range) -> str:
    characters = {bytes(pair).decode("gbk", "ignore") for pair in product(first, second)}
    return f"[{''.join(sorted(characters - {''}))}]"
