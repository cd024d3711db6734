"""What counts as personal data in news, what does not, and that nothing of it is shown."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.data.validation import personal_data

# Documentation and example numbers: nobody's.
PERSONAL = {
    "email": ["jane.doe@example.com", "press-office+uk@mail.example.co.uk", "ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ"],
    "card": ["4111 1111 1111 1111", "4111111111111111", "5555-5555-5555-4444", "3782 822463 10005", "6200000000000005"],
    "iban": ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "BE68 5390 0754 7034"],
    "cn_resident": ["11010519491231002X", "360426199101010071", "３６０４２６１９９１０１０１００７１"],
    "us_ssn": ["SSN 536-90-4399", "Social Security number 536-90-4399"],
    "gb_nino": ["AB 12 34 56 C", "National Insurance number AB123456C"],
    "gb_nhs": ["NHS number 943 476 5870"],
    "ca_sin": ["social insurance number 123-456-782"],
    "in_aadhaar": ["Aadhaar 2341 2341 2346"],
    "phone": ["+44 20 7946 0018", "+44 (0)20 7946 0018", "+1 (212) 555-0123", "+86 138 0013 8000", "0044 20 7946 0018"],
}
PHONES = {
    "en": "(212) 555-0123; 212-555-0123; 1-212-555-0123; 212.555.0123; 020 7946 0018; (01865) 270708; call 2125550123; "
    "Phone: 212 555 0123; tel 02079460018",
    "zh": "13800138000; 138-0013-8000; １３８００１３８０００; 010-62345678; （010）62345678; 0755-8234 5678; "
    "电话：23456789; 致电 2345 6789; +852 2345 6789; 02-2345-6789",
}
NEWS = {
    "en": "on 2004-11-26; the 2004-2005 season; 8/26/2004 08:16; won 6-7 (3-7) 6-3 6-3; 166 2000 310 1999; "
    "310 268 1999; $212-555-0123; 1,234,567,890 shares; version 10.4.11.2005; 2125550123 units; "
    "fell 12.5% to 10345.67; +12.5 +20.25; ISBN 978-0-306-40615-7; ord=4111111111111111&x; order 4111 1111 1111 1112; "
    "icon@2x.png; Seti@home; NASDAQ:ABCD12345678; part 536-90-4399; part AB123456C; call 800-555-0199; "
    "call 0845 8 505 505; phone 20041126; 943 476 5870; 123-456-782; 2341 2341 2346; +999 123 456 789; "
    "seed 348932549825235; SKU4111111111111111; 3.4111111111111111; 4111111111111111.5; 10.212-555-0123",
    "zh": "20111011; 沪指1500-2700点; 2008-2009年; 均价22000-25000元; 电话会议20111011; 成交13800138000元; 热线12315; "
    "400-810-8888; 黑莓981098609900; 36042619910101007２; 比分3-2; 中移腾讯2249318984; @北京魅力; "
    "联系2008-2009; 尼康D90(18-105); 第４１１１１１１１１１１１１１１２号; "
    "doi:10.1080/00949659508811627; 型号A13800138000; 13800138000.50",
}
EVERYTHING = [(kind, text, lang) for kind, texts in PERSONAL.items() for text in texts for lang in ("en", "zh")]
EVERYTHING += [("phone", text, language) for language, texts in PHONES.items() for text in texts.split("; ")]


def find(text: str, language: str) -> list[tuple[str, str]]:
    places = personal_data.find_personal_data(pl.Series([text]), language)
    return [(kind, text[start:end]) for _, kind, start, end in places.rows()]


@pytest.mark.parametrize(("kind", "text", "language"), EVERYTHING)
def test_what_is_personal_is_found_whole(kind: str, text: str, language: str) -> None:
    around = ("He said: ", ", and left.") if language == "en" else ("请于周一前", "，谢谢")
    places = find(text.join(around), language)
    assert [name for name, _ in places] == [kind]
    assert text.endswith(places[0][1])
    assert [*filter(str.isdigit, places[0][1])] == [*filter(str.isdigit, text)]
    assert kind != "email" or places[0][1] == text


@pytest.mark.parametrize(
    ("text", "language"), [(text, language) for language in NEWS for text in NEWS[language].split("; ")]
)
def test_the_numbers_of_news_are_not_personal(text: str, language: str) -> None:
    assert find(f"Reuters - {text}", language) == []


@pytest.mark.parametrize("text", ["13800138000", "2125550123", "2079460018"])
def test_a_number_needs_a_name_where_nobody_would_write_it_so(text: str) -> None:
    assert find(f"a total of {text} of them", "en") == []


def test_a_name_is_for_the_first_number_after_it_masked_or_not() -> None:
    assert find("call 212-555-0123, 2125550123", "en") == [("phone", "212-555-0123")]
    assert find("call <phone>, 2125550123", "en") == []
    assert find("call b@x.co, 2125550123", "en") == [("email", "b@x.co")]


def test_one_wrong_digit_makes_a_number_with_check_digits_any_number() -> None:
    for text in [*PERSONAL["card"], *PERSONAL["iban"], "360426199101010071"]:
        at = text.rindex(text[-1])
        wrong = text[:at] + str((int(text[at]) + 1) % 10)
        assert find(wrong, "en") == []


def test_finds_are_in_order_with_their_rows() -> None:
    texts = pl.Series(["none", "b@example.com, 4111111111111111 and a@example.com", "", "电话13800138000"])
    assert personal_data.find_personal_data(texts, "zh").rows() == [
        (1, "email", 0, 13),
        (1, "card", 15, 31),
        (1, "email", 36, 49),
        (3, "phone", 2, 13),
    ]


def test_masking_puts_the_kind_in_the_place_and_leaves_the_rest() -> None:
    texts = pl.Series("text", ["none", "𝒜 b@example.com;4111111111111111!", "电话１３８００１３８０００。"])
    masked = personal_data.mask(texts, personal_data.find_personal_data(texts, "zh"))
    assert masked.to_list() == ["none", "𝒜 <email>;<card>!", "电话<phone>。"]
    assert masked.name == "text"
    assert texts[1].startswith("𝒜 b@")


def test_a_report_shows_the_ends_and_nothing_of_the_neighbours() -> None:
    text = "x" * 50 + " jane@example.com or 4111 1111 1111 1111, call +44 20 7946 0018."
    texts = pl.Series(["nothing", text])
    assert personal_data.star_out(texts, personal_data.find_personal_data(texts, "en"), context=20).to_list() == [
        "x" * 19 + " j***@e***.com or <card>, call <ph",
        "xxxxxxxx <email> or 41** **** **** **11, call <phone>.",
        "il> or <card>, call +44 ** **** **18.",
    ]


def test_a_report_shows_forty_characters_on_either_side_unless_asked_for_fewer() -> None:
    texts = pl.Series([f"{'x' * 50} jane@example.com {'y' * 50}"])
    matches = personal_data.find_personal_data(texts, "en")
    assert personal_data.star_out(texts, matches).to_list() == [f"{'x' * 39} j***@e***.com {'y' * 39}"]
    assert personal_data.star_out(texts, matches, context=0).to_list() == ["j***@e***.com"]


def test_excerpts_come_in_the_order_of_rows_with_the_last_part_of_a_host() -> None:
    texts = pl.Series([f"{letter}@example.co.uk" for letter in "abcdefghijklmnopqrstuvwxyz" * 8])
    lines = personal_data.star_out(texts, personal_data.find_personal_data(texts, "en"))
    assert lines.to_list() == [f"{text[0]}***@e***.uk" for text in texts]


def test_an_address_in_capitals_and_a_keyword_at_the_very_start_are_seen() -> None:
    assert find("JANE@EXAMPLE.COM", "en") == [("email", "JANE@EXAMPLE.COM")]
    assert find("SSN 536-90-4399", "en") == [("us_ssn", "536-90-4399")]


def test_a_keyword_counts_from_fifteen_characters_away_and_no_farther() -> None:
    assert find(f"social security{' ' * 15}536-90-4399", "en") == [("us_ssn", "536-90-4399")]
    assert find(f"social security{' ' * 16}536-90-4399", "en") == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_corpus_without_articles_holds_nothing(language: str) -> None:
    texts = pl.Series("text", [], dtype=pl.String)
    places = personal_data.find_personal_data(texts, language)
    assert places.schema == {"row": pl.UInt32, "kind": pl.String, "start": pl.Int64, "end": pl.Int64}
    assert personal_data.mask(texts, places).equals(texts)
    assert personal_data.star_out(texts, places).is_empty()


pieces = st.sampled_from(
    sorted({text for _, text, _ in EVERYTHING} | {text for texts in NEWS.values() for text in texts.split("; ")})
) | st.text("0123456789+-().,:/ @<>aXZ元电话", max_size=4)
gaps = st.sampled_from(["", " ", ", ", "-", "/", ":", ".", " or ", " call ", "电话", "SSN ", "\n"])
texts_of_pieces = st.lists(st.tuples(pieces, gaps), max_size=6).map(lambda parts: "".join(map("".join, parts)))


@given(texts_of_pieces, st.sampled_from(["en", "zh"]))
def test_masked_text_holds_nothing_more(text: str, language: str) -> None:
    texts = pl.Series([text])
    places = personal_data.find_personal_data(texts, language)
    ends = [0, *(end for end in places["end"])]
    assert all(earlier <= start < end for earlier, (_, _, start, end) in zip(ends, places.rows(), strict=False))
    assert personal_data.find_personal_data(personal_data.mask(texts, places), language).is_empty()


@given(texts_of_pieces, st.sampled_from(["en", "zh"]))
def test_no_find_is_ever_shown_whole(text: str, language: str) -> None:
    texts = pl.Series([text])
    places = personal_data.find_personal_data(texts, language)
    values = [text[start:end] for _, _, start, end in places.rows()]
    lines = personal_data.star_out(texts, places)
    assert len(lines) == len(values)
    assert not [value for value in values for line in lines if value in line]


@pytest.mark.parametrize("text", ["ring +683 4002 now", "NINO AB 12 34 56 C", "national insurance number AB123456C"])
def test_a_number_of_seven_digits_or_six_is_found(text: str) -> None:
    assert find(text, "en")


@given(texts_of_pieces, st.sampled_from(["en", "zh"]))
def test_no_text_that_holds_something_is_spared_the_question(text: str, language: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(personal_data, "_LIKELY", "")
        matches = personal_data.find_personal_data(pl.Series([text]), language)
    assert personal_data.find_personal_data(pl.Series([text]), language).equals(matches)
