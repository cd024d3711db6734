"""Personal data in texts: e-mail addresses, telephone, card, account and identity numbers; where they are, and masked.

What a number must pass to count: its shape, then its check digits or numbering plan, then, where neither tells enough,
a word before it that names it. News is full of numbers; of those that pass by chance there should be hardly any.
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

# Full-width forms, dashes and spaces, each as the one ASCII character it stands for: positions stay.
_ASCII: dict[int, int | str] = {
    **{wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)},
    **dict.fromkeys(map(ord, "‐‑‒–—−"), "-"),
    **dict.fromkeys(map(ord, "\u00a0\u2009\u202f\u3000"), " "),
}
# Rows without a match hold nothing: no `@`, and no six digits that lie close together.
_SUSPECT = r"[@＠]|[0-9０-９](?:[^0-9０-９,，]{0,2}[0-9０-９]){5}"
# Of these, a number of less than eight digits begins with a plus or a zero, or has two capital letters before it.
_LIKELY = (
    r"[@＠]|[0-9０-９](?:[^0-9０-９,，]{0,2}[0-9０-９]){7}|[+＋][0-9０-９]|(?:^|[^0-9０-９])[0０][0-9０-９]"
    r"|[A-ZＡ-Ｚ]{2}\s?[0-9０-９]{2}"
)
# No part of a longer word or number, of a price, a link or a figure with its unit. What bars a find on its right bars
# the next one on its left as well, or masking one would bring the other to light.
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
_PHONES = {  # by language: the regions whose numbers are written without a country code, and shapes that tell enough
    "en": (("US", "GB"), r"(?:1[ .-])?(?:\(\d{3}\) ?\d{3}[ .-]|\d{3}-\d{3}-|\d{3}\.\d{3}\.)\d{4}"),
    "zh": (("CN", "HK", "TW"), r"1[3-9]\d(?P<gap>[ -]?)\d{4}(?P=gap)\d{4}"),  # a mobile in China
}
_CALLED = r"\b(?:tele)?phone|\b(?:tel|call|dial|fax|mobile|cell|text|contact)\b|电话|手机|热线|致电|拨打|传真|座机|联系"
_BARE = r"\d{8,12}|\d{4}[ -]\d{4}|\d{3} \d{3} \d{4}"  # a date passes no numbering plan
_OF_A_PERSON = {  # the others (toll-free, premium, shared cost) belong to no person
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
    holds: Callable[[str], object] = bool  # is asked with letters, digits and `+` alone
    named: re.Pattern[str] | None = None  # must stand before it


def find(texts: pl.Series, language: str) -> pl.DataFrame:
    """Where personal data stand: row, kind, start and end in characters, in order and without overlap.

    Telephone numbers count with a country code or as they are written where `language` is spoken.
    """
    kinds = _kinds(language)
    suspects = texts.to_frame("text").with_row_index("row").filter(pl.col("text").str.contains(_SUSPECT))
    suspects = suspects.filter(pl.col("text").str.contains(_LIKELY))
    found = [(row, *place) for row, text in suspects.iter_rows() for place in _places(text, kinds)]
    return pl.DataFrame(
        found, schema={"row": pl.UInt32, "kind": pl.String, "start": pl.Int64, "end": pl.Int64}, orient="row"
    )


def masked(texts: pl.Series, found: pl.DataFrame) -> pl.Series:
    """The texts with the kind of each find in its place (`<email>`), and nothing else changed."""
    rows = found.group_by("row", maintain_order=True).agg("kind", "start", "end")
    old = texts.gather(rows["row"])
    new = [
        _masked(text, list(zip(*places, strict=True))) for text, (_, *places) in zip(old, rows.iter_rows(), strict=True)
    ]
    return texts.clone().scatter(rows["row"], pl.Series(new, dtype=pl.String))


def shown(texts: pl.Series, found: pl.DataFrame, context: int = 40) -> pl.Series:
    """For each find a line for a report: its ends, stars for the rest, and `context` characters around without digits.

    `found` has to be whole: the addresses that it leaves out of a row are not masked in that row's lines.
    """
    lines = []
    for (row,), part in found.group_by("row", maintain_order=True):
        text, places = texts[int(row)], part.select("kind", "start", "end").rows()
        for at, (kind, start, end) in enumerate(places):
            before = _masked(text[:start], places[:at])[-context:] if context else ""
            after = _masked(text, places[at + 1 :])[end : end + context]
            before, after = (re.sub(r"[\d@＠]", "*", around) for around in (before, after))
            lines.append(f"{before}{_starred(text[start:end], kind)}{after}")
    return pl.Series("shown", lines, dtype=pl.String)


def _masked(text: str, places: list[tuple[str, int, int]]) -> str:
    for kind, start, end in reversed(places):
        text = f"{text[:start]}<{kind}>{text[end:]}"
    return text


def _starred(value: str, kind: str) -> str:
    """`j***@e***.com`; of a number the first two and the last two letters or digits (`+44 **** ****18`)."""
    value = value.translate(_ASCII)
    if kind == "email":
        name, _, host = value.partition("@")
        return f"{name[0]}***@{host[0]}***.{host.rpartition('.')[2]}"
    places = [match.start() for match in re.finditer(r"[0-9A-Za-z]", value)]
    hidden = set(places[2:-2])
    return "".join("*" if at in hidden else character for at, character in enumerate(value))


def _places(text: str, kinds: list[_Kind]) -> list[tuple[str, int, int]]:
    plain, places = text.translate(_ASCII), []
    for kind in kinds:
        taken = [(kind.name, *match.span()) for match in kind.shape.finditer(plain) if _counts(match, kind)]
        for _, start, end in taken:
            plain = plain[:start] + "<" * (end - start) + plain[end:]
        places += taken
    return sorted(places, key=itemgetter(1))


def _counts(match: re.Match[str], kind: _Kind) -> bool:
    named = kind.named is None or kind.named.search(match.string, max(match.start() - 40, 0), match.start())
    return bool(named and kind.holds(re.sub(r"[^0-9A-Za-z+]", "", match[0])))


def _kind(name: str, shape: str, holds: Callable[[str], object] = bool, named: str = "") -> _Kind:
    # No digit, tag or address between the name and what it names: masking one find must not give its name to the next.
    before = re.compile(rf"(?:{named})[^\d<>]{{0,15}}\Z", re.IGNORECASE | re.ASCII) if named else None
    return _Kind(name, re.compile(_ALONE.format(shape), re.ASCII), holds, before)


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


def _kinds(language: str) -> list[_Kind]:
    """What is looked for, in this order: what an earlier kind has taken, a later one does not see."""
    regions, shape = _PHONES[language]
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
