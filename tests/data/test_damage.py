"""What counts as a damaged text, and what does not."""

import re
from typing import Any

import polars as pl
import pytest
from ftfy.badness import MOJIBAKE_CATEGORIES, is_bad
from hypothesis import given
from hypothesis import strategies as st

from gazette.core import normalization
from gazette.data.validation import damage

CHINESE = ["北京今年经济增长百分之八", "主队在星期天赢了比赛（图）", "“双十一”：销售额￥500亿——创新高…", "李安·少年派"]
WESTERN = ["It cost £5, or €6.", "Café Zoë – naïve “quotes” …", "ÉCOLE: 20°C, ½ price ® ™", "œuvre, Œuvre, Ångström"]
SUSPECTS = re.findall(f"[{''.join(MOJIBAKE_CATEGORIES.values())}]", "".join(map(chr, range(0x80, 0x3000))))


def flagged(*texts: str) -> list[set[str]]:
    keyed = normalization.add_key(pl.DataFrame({"text": texts}, schema={"text": pl.String}))
    rows: list[dict[str, Any]] = damage.flag_damage(keyed).to_dicts()
    return [{name for name, flag in row.items() if flag} for row in rows]


@pytest.mark.parametrize("text", CHINESE + WESTERN + ["", "plain"])
def test_a_sound_text_has_no_flag(text: str) -> None:
    assert flagged(text) == [set()]


@pytest.mark.parametrize("codec", ["latin-1", "cp1252", "gbk"])
@pytest.mark.parametrize("text", CHINESE)
def test_chinese_in_utf8_read_by_another_table_is_mojibake(text: str, codec: str) -> None:
    assert "mojibake" in flagged(text.encode().decode(codec, "replace"))[0]


@pytest.mark.parametrize("pair", ["䀿遀", "鿿鿿", "鿿丿", "丁遀"])
def test_any_two_chinese_characters_read_as_gbk_are_mojibake(pair: str) -> None:
    """The first and the last that there are, and those whose bytes are the least and the greatest of all."""
    assert "mojibake" in flagged(pair.encode().decode("gbk"))[0]


@pytest.mark.parametrize(
    "text", ["CafÃ© ZoÃ«", "It cost Â£5", "â€œquotesâ€\x9d", "it doesnâ€™t", "锟斤拷锟斤拷", "烫烫烫烫"]
)
def test_classics_are_mojibake(text: str) -> None:
    assert "mojibake" in flagged(text)[0]


def test_gb2312_read_as_latin_1_is_mojibake() -> None:
    assert "mojibake" in flagged(CHINESE[0].encode("gbk").decode("latin-1"))[0]


@given(st.lists(st.text(st.sampled_from([*SUSPECTS, *"aZ .,вЂВГРСΒΓΞΟβāà字"]), max_size=6), min_size=1, max_size=20))
def test_no_row_that_ftfy_holds_for_bad_is_spared_the_question(texts: list[str]) -> None:
    flags = ["mojibake" in flags for flags in flagged(*texts)]
    assert flags == [is_bad(text) for text in texts]


def test_a_lost_character_is_not_mojibake() -> None:
    assert flagged("自封“�男人”", "caf�") == [{"replacement_character"}] * 2


@pytest.mark.parametrize(
    "text",
    [
        "<b>bold</b>",
        '<A HREF="http://example.org">here</A>',
        "one<br/>two",
        "&lt;p&gt;",
        "<!-- note -->",
        "&#8226;",
        "AT&amp;amp;T",
        "&eacute;",
        "it #8217;s",
        "AT amp;T",
        "欧洲&#8226;公馆",
    ],
)
def test_tags_and_entities_are_markup(text: str) -> None:
    assert flagged(text) == [{"markup"}]


@pytest.mark.parametrize(
    "text", ["it#39;s", "AT&amp;T", "S&P; AT&T;", "a < b > c", "Intel <INTC.O> fell", "no. #12; #1", "<图>"]
)
def test_what_the_normalizer_mends_or_a_feed_means_is_no_markup(text: str) -> None:
    assert flagged(text) == [set()]


@pytest.mark.parametrize("character", ["\x01", "\x0b", "\x1b", "\x7f", "\u202e", "\u2066"])
def test_a_control_character_is_seen(character: str) -> None:
    assert flagged(f"one{character}two") == [{"control_characters"}]


def test_tabs_and_line_breaks_are_none() -> None:
    assert flagged("one\ttwo\r\nthree\n") == [set()]


@pytest.mark.parametrize(
    ("flag", "text"),
    [("markup", "AT <B>bold</B>"), ("replacement_character", "caf\ufffd"), ("control_characters", "one\x01two"),
     ("mojibake", "锟斤拷"), ("mojibake", "CafÃ© ZoÃ«")],
)  # fmt: skip
def test_each_flag_has_a_pattern_that_shows_where(flag: str, text: str) -> None:
    patterns = damage.damage_patterns()
    assert pl.Series([text, "sound"]).str.contains(patterns[flag]).to_list() == [True, False]
    assert sorted(patterns) == ["control_characters", "markup", "mojibake", "replacement_character"]
