"""The shortcut from plain texts to token ids, against the tokenizer's own pipeline."""

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from gazette.core import token_ids
from gazette.core.normalization import _ENTITIES
from gazette.core.token_ids import _PLAIN, Encoder
from gazette.training.networks.tokenizer import train_tokenizer

PLAIN = [character for character in map(chr, range(0x10000)) if re.fullmatch(f"[{_PLAIN}]", character)]
FEW = [character for character in PLAIN if not "一" <= character <= "龿" or ord(character) % 100 == 0]
WORDS = [
    "bank",
    "it's",
    "Ünder",
    "2½",
    "中国队",
    "\u0308",
    "lt",
    "amp",
    "39",
    "«no»",
    "‘",
    "end-of-line",
    "naïve",
    "ÀÉ",
]


def train(tokens: Any) -> Tokenizer:
    """Train on plain characters, so that most have an id of their own."""
    return train_tokenizer([" ".join(FEW), "a b c d e f 1 2 3", *WORDS * 3], tokens, 60_000, 1)


TOKENIZERS = {tokens: train(tokens) for tokens in ("words", "bpe")}
CUT = Tokenizer.from_str(TOKENIZERS["words"].to_str())
CUT.enable_truncation(7)
ENCODERS = {name: Encoder(tokenizer) for name, tokenizer in (TOKENIZERS | {"truncated": CUT}).items()}
ANY = pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)

ODD = "\0\x0b\x0c\x1c\x7f\x85\xa0\xad\u200b\u2028\u3000\ufeff\ufffdİΣſﬁ가が"
SPECIAL = ["[UNK]", "[PAD]", "&#39;", "&AMP;"]
pieces = st.sampled_from([*FEW, *FEW[:300] * 3, *" \n\t\r" * 30, *[*_ENTITIES, *WORDS] * 10, *SPECIAL * 5, *ODD])
TEXTS = st.lists(pieces, max_size=30).map("".join) | st.text(max_size=20)


@ANY
@given(st.lists(TEXTS, max_size=5))
def test_ids_are_those_of_the_tokenizer(encoder: Encoder, texts: list[str]) -> None:
    rows = encoder.encode(texts)
    ids = [rows.ids[start : start + length].tolist() for start, length in zip(rows.starts, rows.lengths, strict=True)]
    assert ids == [encoding.ids for encoding in encoder.tokenizer.encode_batch(texts)]


@ANY
def test_entities_are_replaced_in_the_same_order(encoder: Encoder) -> None:
    texts = [
        "&amp;lt;b",
        "&&lt;amp;",
        "&nbsp;quot;",
        "quot;a quot;",
        "\\ quot;\tquot;",
        "＆amp；lt; it＃39;s",
        "&LT;",
        "#3#39;9;",
    ]
    rows = encoder.encode(texts)
    assert rows.ids.tolist() == [number for row in encoder.tokenizer.encode_batch(texts) for number in row.ids]


@ANY
def test_every_plain_character_takes_the_shortcut_to_the_same_ids(encoder: Encoder) -> None:
    assert encoder.shortcut and len(PLAIN) > 20_000
    texts = [f"{character} x{character}Y{character}{character}" for character in PLAIN]
    rows = encoder.tokenizer.encode_batch_fast(texts)
    assert [encoder.shortcut.encode(text) for text in texts] == [row.ids for row in rows]


def test_pairs_of_plain_characters_do_not_change_each_other() -> None:
    encoder = ENCODERS["words"]
    unusual = [character for character in FEW if not character.isalnum() and unicodedata.category(character) != "Po"]
    texts = [f"{a}{b}" for a in unusual for b in [*unusual, *"aÀßÿ一ＡÍ"]]
    rows = encoder.tokenizer.encode_batch_fast(texts)
    assert encoder.shortcut and [encoder.shortcut.encode(text) for text in texts] == [row.ids for row in rows]


def test_remembered_subwords_are_bounded_and_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_ids, "PIECES", 3)
    texts = ["bank it banks 39 amp", "amp bank its 中国", f"bank{'s' * 40}"] * 3
    encoder = Encoder(TOKENIZERS["bpe"])
    assert encoder.encode(texts).ids.tolist() == [
        number for row in TOKENIZERS["bpe"].encode_batch(texts) for number in row.ids
    ]
    assert encoder.shortcut and 0 < len(encoder.shortcut.vocabulary) <= 3
    assert max(map(len, encoder.shortcut.vocabulary)) <= token_ids.LONGEST


NFKC, BERT, DIGITS = normalizers.NFKC(), normalizers.BertNormalizer(strip_accents=False), pre_tokenizers.Digits(True)
OTHER: dict[str, dict[str, Any]] = {
    "spaces alone": {"pre_tokenizer": pre_tokenizers.WhitespaceSplit()},
    "digits apart": {"pre_tokenizer": pre_tokenizers.Sequence([pre_tokenizers.BertPreTokenizer(), DIGITS])},
    "no NFKC": {"normalizer": BERT},
    "a pattern": {"normalizer": normalizers.Sequence([NFKC, normalizers.Replace(Regex("[0-9]"), "x"), BERT])},
    "accents stripped": {"normalizer": normalizers.Sequence([NFKC, normalizers.BertNormalizer()])},
    "a frame": {"post_processor": processors.TemplateProcessing("[PAD] $A", special_tokens=[("[PAD]", 0)])},
    "another model": {"model": models.WordPiece({"[PAD]": 0, "[UNK]": 1, "bank": 2, "##s": 3}, unk_token="[UNK]")},
}


@pytest.mark.parametrize("steps", OTHER.values(), ids=OTHER)
def test_a_tokenizer_with_other_steps_takes_no_shortcut(steps: dict[str, Any]) -> None:
    tokenizer = Tokenizer.from_str(TOKENIZERS["words"].to_str())
    for name, step in steps.items():
        setattr(tokenizer, name, step)
    encoder, texts = Encoder(tokenizer), ["The Bänk 39 banks", "a"]
    assert encoder.shortcut is None
    assert encoder.encode(texts).ids.tolist() == [number for row in tokenizer.encode_batch(texts) for number in row.ids]


def test_padding_and_truncation_from_the_left_take_no_shortcut() -> None:
    padded, truncated = (Tokenizer.from_str(TOKENIZERS["words"].to_str()) for _ in range(2))
    padded.enable_padding()
    truncated.enable_truncation(2, direction="left")
    assert Encoder(padded).shortcut is None and Encoder(truncated).shortcut is None
