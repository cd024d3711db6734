"""What happened to a text on its way: wrong decoding, lost characters, markup, characters that are not to be seen."""

from functools import cache
from html.entities import name2codepoint

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
    r"|#(?:3[4689]|6[02]|\d{3,4});|\b(?:amp|quot|nbsp|apos|[lg]t|[lr][sd]quo|[mn]dash|hellip);"  # no ampersand
)
CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}]"
PADDING = (
    "锟斤拷|烫烫烫|屯屯屯|锘縗"  # U+FFFD in UTF-8 read as GBK, twice; memory never written, in GBK; a byte order mark
)


def places() -> dict[str, str]:
    """For each flag the pattern of what was found, to show an article from there."""
    found = {"markup": f"(?i:{MARKUP})", "replacement_character": "\ufffd", "control_characters": CONTROL}
    return {**found, "mojibake": f"{_read_as_gbk()}|{_suspicious()}"}


def flags(articles: pl.DataFrame) -> pl.DataFrame:
    """Four columns, true where a row is damaged.

    mojibake: decoded with a wrong table, once or more (ftfy's heuristic for Western tables and for Chinese read as
    Latin-1; for UTF-8 read as GBK a sequence of characters that Chinese does not have). replacement_character: a
    character was lost (U+FFFD). markup: HTML tags or entities, also those that lost their ampersand, which the
    normalizer leaves in. control_characters: C0 and C1 but for tab and line breaks, and what turns the direction of
    writing.
    """
    text = pl.col("text")
    return articles.select(
        mojibake=text.str.contains(_read_as_gbk()) | _is_bad(articles["text"]),
        replacement_character=text.str.contains("\ufffd", literal=True),
        markup=pl.col("key").str.contains(MARKUP),
        control_characters=text.str.contains(CONTROL),
    )


def _is_bad(texts: pl.Series) -> pl.Series:
    """Asks ftfy, but only of rows that could be bad; a lost character is no evidence."""
    present = texts.str.replace_all("\ufffd", "", literal=True)
    asked = present.str.contains(_suspicious())
    return pl.Series([ask and is_bad(text) for text, ask in zip(present, asked, strict=True)], dtype=pl.Boolean)


@cache
def _suspicious() -> str:
    """What each of its patterns has: two neighbours beyond ASCII, one known from mojibake, or Â, Ã, Œ, œ, C1."""
    known = "".join(MOJIBAKE_CATEGORIES.values())
    return rf"[{known}][^\x00-\x7f]|[^\x00-\x7f][{known}]|[ÂÃŒœ\x80-\x9f]"


@cache
def _read_as_gbk() -> str:
    """Two Chinese characters in UTF-8, six bytes, are three other ones in GBK."""
    lead, rest = range(0xE4, 0xEA), range(0x80, 0xC0)
    return "".join(_decoded(*pair) for pair in ((lead, rest), (rest, lead), (rest, rest))) + "|" + PADDING


def _decoded(first: range, second: range) -> str:
    characters = {bytes((one, two)).decode("gbk", "ignore") for one in first for two in second}
    return f"[{''.join(sorted(characters - {''}))}]"
