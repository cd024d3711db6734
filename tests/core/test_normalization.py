"""Text normalization before tokenizing and comparing."""

import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from gazette.core.normalization import _ENTITIES, _PLAIN, add_key, normalize, normalize_by_tokenizer, normalizer


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("Bank", "bank"),
        ("ＢＡＮＫ　５", "bank 5"),
        ("ﬁne", "fine"),
        ("it#39;s", "it's"),
        ("it&#39;s", "it&'s"),
        ("cost #36;5", "cost $5"),
        ("said quot;no quot; twice", 'said "no " twice'),
        ("R&amp;D", "r&d"),
        ("&lt;b&gt;", "<b>"),
        ("a&nbsp;b", "a b"),
        ("one\\two", "one two"),
        ("a\u200bb\x07c\ufffd", "abc"),
        ("  a \t\r\n b  ", "a b"),
        ("中国队win", "中 国 队 win"),
        ("café", "café"),
        ("cafe\u0301", "café"),
        ("", ""),
    ],
)
def test_a_text_is_normalized(text: str, normalized: str) -> None:
    assert normalize_by_tokenizer([text]) == [normalized]


@given(st.text(st.characters(codec="utf-8")))
def test_a_normalized_text_has_single_spaces_and_no_line_break(text: str) -> None:
    normalized = normalize_by_tokenizer([text])[0]
    assert normalized == " ".join(normalized.split())


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="&#\\;")))
def test_normalizing_is_idempotent(text: str) -> None:
    once = normalize_by_tokenizer([text])
    assert normalize_by_tokenizer(once) == once


def test_texts_keep_their_order_and_number() -> None:
    assert normalize_by_tokenizer(iter(["B", "", "A"])) == ["b", "", "a"]


plain = [character for character in map(chr, range(0x10000)) if re.fullmatch(f"[{_PLAIN}]", character)]
pieces = st.sampled_from([*plain, *plain[:256] * 90, *_ENTITIES, "\u0308", "İ", "Σ"])


@given(st.lists(st.lists(pieces, max_size=20).map("".join) | st.text(max_size=5)))
def test_the_short_way_of_plain_texts_leads_to_the_same(texts: list[str]) -> None:
    assert normalize(pl.Series(texts, dtype=pl.String)).to_list() == normalize_by_tokenizer(texts)


def test_every_plain_character_becomes_the_same_by_the_short_way() -> None:
    texts = [f"A{c}b {c}{c}" for c in plain if not "一" <= c <= "龿" or ord(c) % 20 == 0]
    assert len(texts) > 1000
    assert normalize(pl.Series(texts)).to_list() == normalize_by_tokenizer(texts)


def test_a_saved_tokenizer_takes_the_same_steps() -> None:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer()
    again = Tokenizer.from_str(tokenizer.to_str())
    text = "Ｔhe #39;NEW#39; 中国"
    assert again.normalizer.normalize_str(text) == normalizer().normalize_str(text)


def test_articles_with_equal_keys_are_equal_but_for_case_width_and_space() -> None:
    articles = add_key(pl.DataFrame({"text": ["The  Bank", "the ｂａｎｋ", "a bank"], "label": ["a", "b", "c"]}))
    assert articles.columns == ["text", "label", "key"] and articles["label"].to_list() == ["a", "b", "c"]
    assert articles["key"].to_list() == ["the bank", "the bank", "a bank"]
