"""Personal data in texts: e-mail addresses, phone, card, account and identity numbers, found and masked.

A number must have the right shape, then correct check digits or an existing numbering plan, and if these are not
specific enough, a keyword before it. News is full of numbers; hardly any should match by chance.
"""

import re
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import NamedTuple

import phonenumbers
import polars as pl
from phonenumbers import PhoneNumberType
from stdnum import iban, luhn
from stdnum.ca import sin
from stdnum.cn import ric
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.us import ssn

from gazette.data.languages import base

# Full-width forms, dashes and spaces, each mapped to one ASCII character, so that positions stay.
_ASCII: dict[int, int | str] = {
    **{wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)},
    **dict.fromkeys(map(ord, "‐‑‒–—−"), "-"),
    **dict.fromkeys(map(ord, "\u00a0\u2009\u202f\u3000"), " "),
}
# Rows without a match have no personal data: no `@`, and no six digits close together.
_SUSPECT = r"[@＠]|[0-9０-９](?:[^0-9０-９,，]{0,2}[0-9０-９]){5}"
# A number of fewer than eight digits starts with a plus or a zero, or follows two capital letters.
_LIKELY = (
    r"[@＠]|[0-9０-９](?:[^0-9０-９,，]{0,2}[0-9０-９]){7}|[+＋][0-9０-９]|(?:^|[^0-9０-９])[0０][0-9０-９]"
    r"|[A-ZＡ-Ｚ]{2}\s?[0-9０-９]{2}"
)
# Not part of a longer word or number, a price, a link, or a quantity with its unit. What excludes a match on its right
# also excludes the next one on its left; otherwise masking one would reveal the other.
_ALONE = r"(?<![$£€¥=&?#])(?!(?<=\w)\w)(?!(?<=\d[.,*-])\d)(?:{})(?![\w%元股万亿吨份])(?!(?<=\d)[.,*-]\d)"
_EMAIL = r"\w[\w.%+-]{0,63}@(?:[a-z\d-]+\.)+(?!(?:png|jpe?g|gif|svg|webp)\b)[a-z]{2,24}(?!\w)"
_IBAN = r"[A-Z]{2}\d\d(?:[A-Z\d]{11,30}| [A-Z\d]{4}(?: \d[A-Z\d]{3}){1,6}(?: \d[A-Z\d]{0,2})?)"
_NINO = r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]~\d\d~\d\d~\d\d~[A-D]"
_CARD_SHAPE = r"\d{4}(?P<gap>[ -]?)\d{4}(?P=gap)\d{4}(?P=gap)\d{4}(?:(?P=gap)\d{3})?|\d{4}([ -])\d{6}\2\d{5}"
_CARD = re.compile(  # the issuers' ranges: Visa, Mastercard, American Express, Discover, UnionPay, JCB
    r"4\d{15}|4\d{18}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|5\d\d)\d{12}|62\d{14}|62\d{17}|35(?:2[89]|[3-8]\d)\d{12}"
)
_ABROAD = (
    r"(?:\+[1-9]\d{0,2}|00[1-9]\d{0,2}(?=[ -]))(?:[ -]?\(?\d{1,5}\)?){1,5}[ -]?\d{1,5}|\+\d{1,3}(?:\.\d{2,5}){2,5}"
)
_TRUNK = r"(?:\(0\d{1,4}\)[ -]?|0\d{1,4}[ -])\d{3,8}(?:[ -]\d{3,4}){0,2}"
_PHONES = {  # by language: regions whose numbers lack a country code, and shapes that need no keyword
    "en": (("US", "GB"), r"(?:1[ .-])?(?:\(\d{3}\) ?\d{3}[ .-]|\d{3}-\d{3}-|\d{3}\.\d{3}\.)\d{4}"),
    "zh": (("CN", "HK", "TW"), r"1[3-9]\d(?P<gap>[ -]?)\d{4}(?P=gap)\d{4}"),  # a mobile in China
}
_NEVER = r"(?!)"
_CALLED = r"\b(?:tele)?phone|\b(?:tel|call|dial|fax|mobile|cell|text|contact)\b|电话|手机|热线|致电|拨打|传真|座机|联系"
_BARE = r"\d{8,12}|\d{4}[ -]\d{4}|\d{3} \d{3} \d{4}"  # no date fits a numbering plan
_OF_A_PERSON = {  # toll-free, premium and shared-cost numbers are not personal
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.PAGER,
    PhoneNumberType.VOIP,
}


class _Kind(NamedTuple):
    name: str
    shape: re.Pattern[str]
    is_valid: Callable[[str], object] = bool  # of its letters, digits and `+` alone
    keyword: re.Pattern[str] | None = None  # required before it


def find_personal_data(texts: pl.Series, language: str) -> pl.DataFrame:
    """Find personal data: row, kind, start and end in characters, in order and without overlap.

    Phone numbers need a country code, or the usual form of a region where `language` is spoken.
    """
    kinds = _kinds(language)
    suspects = texts.to_frame("text").with_row_index("row").filter(pl.col("text").str.contains(_SUSPECT))
    suspects = suspects.filter(pl.col("text").str.contains(_LIKELY))
    matches = [(row, *place) for row, text in suspects.iter_rows() for place in _find_places(text, kinds)]
    return pl.DataFrame(
        matches, schema={"row": pl.UInt32, "kind": pl.String, "start": pl.Int64, "end": pl.Int64}, orient="row"
    )


def mask(texts: pl.Series, matches: pl.DataFrame) -> pl.Series:
    """Replace each match by its kind (`<email>`)."""
    rows = matches.group_by("row", maintain_order=True).agg("kind", "start", "end")
    old = texts.gather(rows["row"])
    new = [
        _mask_text(text, list(zip(*places, strict=True)))
        for text, (_, *places) in zip(old, rows.iter_rows(), strict=True)
    ]
    return texts.clone().scatter(rows["row"], pl.Series(new, dtype=pl.String))


def star_out(texts: pl.Series, matches: pl.DataFrame, context: int = 40) -> pl.Series:
    """Return an excerpt per match: its ends, stars for the rest, and `context` characters around without digits.

    `matches` must be complete: addresses that it lacks are not masked in the excerpts of their row.
    """
    lines = []
    for (row,), part in matches.group_by("row", maintain_order=True):
        text, places = texts[int(row)], part.select("kind", "start", "end").rows()
        for at, (kind, start, end) in enumerate(places):
            before = _mask_text(text[:start], places[:at])[-context:] if context else ""
            after = _mask_text(text, places[at + 1 :])[end : end + context]
            before, after = (re.sub(r"[\d@＠]", "*", around) for around in (before, after))
            lines.append(f"{before}{_star(text[start:end], kind)}{after}")
    return pl.Series("shown", lines, dtype=pl.String)


def _mask_text(text: str, places: list[tuple[str, int, int]]) -> str:
    for kind, start, end in reversed(places):
        text = f"{text[:start]}<{kind}>{text[end:]}"
    return text


def _star(value: str, kind: str) -> str:
    """Return `j***@e***.com`, or the first two and last two letters or digits of a number (`+44 **** ****18`)."""
    value = value.translate(_ASCII)
    if kind == "email":
        name, _, host = value.partition("@")
        return f"{name[0]}***@{host[0]}***.{host.rpartition('.')[2]}"
    places = [match.start() for match in re.finditer(r"[0-9A-Za-z]", value)]
    hidden = set(places[2:-2])
    return "".join("*" if at in hidden else character for at, character in enumerate(value))


def _find_places(text: str, kinds: list[_Kind]) -> list[tuple[str, int, int]]:
    plain, places = text.translate(_ASCII), []
    for kind in kinds:
        spans = [(kind.name, *match.span()) for match in kind.shape.finditer(plain) if _is_match(match, kind)]
        for _, start, end in spans:
            plain = plain[:start] + "<" * (end - start) + plain[end:]
        places += spans
    return sorted(places, key=itemgetter(1))


def _is_match(match: re.Match[str], kind: _Kind) -> bool:
    has_keyword = kind.keyword is None or kind.keyword.search(match.string, max(match.start() - 40, 0), match.start())
    return bool(has_keyword and kind.is_valid(re.sub(r"[^0-9A-Za-z+]", "", match[0])))


def _kind(name: str, shape: str, is_valid: Callable[[str], object] = bool, keyword: str = "") -> _Kind:
    # No digit, tag or address after the keyword: masking one match must not pass its keyword on to the next.
    before = re.compile(rf"(?:{keyword})[^\d<>]{{0,15}}\Z", re.IGNORECASE | re.ASCII) if keyword else None
    return _Kind(name, re.compile(_ALONE.format(shape), re.ASCII), is_valid, before)


def _is_card(number: str) -> bool:
    return bool(_CARD.fullmatch(number)) and luhn.is_valid(number)


def _is_phone(number: str, regions: tuple[str, ...]) -> bool:
    return any(_is_phone_in(region, number) for region in regions)


def _is_phone_in(region: str, number: str) -> bool:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:  # no such country code
        return False
    return phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) in _OF_A_PERSON


def knows_numbers(language: str) -> bool:
    """Tell whether phone numbers without a country code are recognized in a language."""
    return base(language) in _PHONES


def _kinds(language: str) -> list[_Kind]:
    """Return the kinds in order of precedence: text that an earlier kind matches is hidden from later ones."""
    regions, shape = _PHONES.get(base(language), (("ZZ",), _NEVER))
    is_phone = partial(_is_phone, regions=regions)
    return [
        _Kind("email", re.compile(_EMAIL, re.ASCII | re.IGNORECASE)),
        _kind("iban", _IBAN, partial(iban.is_valid, check_country=False)),
        _kind("cn_resident", r"[1-8]\d{5} ?(?:19|20)\d{6} ?\d{3}[\dXx]", ric.is_valid),
        _kind("us_ssn", r"\d{3}[ -]?\d\d[ -]?\d{4}", ssn.is_valid, r"\bSSN\b|social security|社会安全号|社会保险号"),
        _kind("gb_nino", _NINO.replace("~", " ")),
        _kind("gb_nino", _NINO.replace("~", ""), bool, r"national insurance|\bNINO\b"),
        _kind("gb_nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", nhs.is_valid, r"\bNHS\b"),
        _kind("ca_sin", r"\d{3}[ -]?\d{3}[ -]?\d{3}", sin.is_valid, r"social insurance|\b(?-i:SIN)\b"),
        _kind("in_aadhaar", r"\d{4}[ -]?\d{4}[ -]?\d{4}", aadhaar.is_valid, r"\baadhaar\b"),
        _kind("card", _CARD_SHAPE, _is_card),
        _kind("phone", f"{_ABROAD}|{_TRUNK}|{shape}", is_phone),
        _kind("phone", _BARE, is_phone, _CALLED),
    ]
