"""Tokenizers, trained on a few sentences."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from tokenizers import Tokenizer, models, trainers

from gazette.training.networks.tokenizer import encode, set_max_length, train_tokenizer

TEXTS = ["The bank fell.", "The bank rose, the market fell", "中国队 won"]
Tokens = Literal["words", "characters", "bpe"]
KINDS: list[Tokens] = ["words", "characters", "bpe"]


def tokenize(tokenizer: Tokenizer, text: str) -> list[str]:
    return list(tokenizer.encode(text).tokens)


def test_words_are_runs_of_letters_and_each_han_character_and_mark() -> None:
    tokenizer = train_tokenizer(TEXTS, "words", 100, 1)
    assert tokenize(tokenizer, "THE bank,中国") == ["the", "bank", ",", "中", "国"]


def test_characters_are_all_but_white_space() -> None:
    tokenizer = train_tokenizer(TEXTS, "characters", 100, 1)
    assert tokenize(tokenizer, "The 中国") == ["t", "h", "e", "中", "国"]


def test_frequent_pairs_become_parts_of_words() -> None:
    tokenizer = train_tokenizer(["bank bank bank banks u.s. u.s."], "bpe", 100, 1)
    assert tokenize(tokenizer, "\u3000BANK banks  u.s.") == ["▁bank", "▁banks", "▁u.s."]


def test_subwords_tell_the_beginning_of_a_word_from_its_middle() -> None:
    tokenizer = train_tokenizer(["bank riverbank bank riverbank"], "bpe", 100, 1)
    assert tokenize(tokenizer, "bank banksbank") == ["▁bank", "▁bank", "[UNK]", "bank"]


@pytest.mark.parametrize("tokens", KINDS)
def test_padding_is_0_and_the_unknown_is_1(tokens: Tokens) -> None:
    tokenizer = train_tokenizer(TEXTS, tokens, 100, 1)
    assert (tokenizer.token_to_id("[PAD]"), tokenizer.token_to_id("[UNK]")) == (0, 1)
    assert encode(tokenizer, ["ж"])[0][-1] == 1


def test_rare_words_and_words_past_the_vocabulary_are_unknown() -> None:
    assert tokenize(train_tokenizer(TEXTS, "words", 100, 2), "the bank rose") == ["the", "bank", "[UNK]"]
    assert train_tokenizer(TEXTS, "words", 5, 1).get_vocab_size() == 5


@pytest.mark.parametrize("tokens", KINDS)
@pytest.mark.parametrize("vocabulary", [3, 10])
def test_a_vocabulary_is_never_larger_than_its_bound(tokens: Tokens, vocabulary: int) -> None:
    tokenizer = train_tokenizer(["债券牛皮市诱发基金抛售潮"] * 3, tokens, vocabulary, 1)
    assert tokenizer.get_vocab_size() <= vocabulary


def test_of_more_characters_than_the_vocabulary_has_room_for_the_most_frequent_stay() -> None:
    text = "".join(map(chr, range(0x4E00, 0x4F00)))
    files = {train_tokenizer([text, "中国中国"], "bpe", 40, 1).to_str() for _ in range(20)}
    assert len(files) == 1, "of those that are as frequent, always the same"
    vocabulary = Tokenizer.from_str(files.pop()).get_vocab()
    assert len(vocabulary) == 40 and {"▁", "中", "国"} < vocabulary.keys()


@pytest.mark.parametrize("tokens", KINDS)
def test_the_same_texts_give_the_same_file(tokens: Tokens) -> None:
    assert train_tokenizer(TEXTS, tokens, 50, 1).to_str() == train_tokenizer(list(TEXTS), tokens, 50, 1).to_str()


@pytest.mark.parametrize("vocabulary", [2, 3, 12, 1000])
@pytest.mark.parametrize("min_frequency", [1, 2])
def test_words_are_those_that_the_trainer_of_the_tokenizers_would_learn(vocabulary: int, min_frequency: int) -> None:
    texts = [*TEXTS, "it#39;s Ünder 2½ «Bank» \x07the\x07 가 [UNK] ΣΣΣ", "a\u0308 ä 中\u3000国", ""]
    tokenizer = train_tokenizer(texts, "words", vocabulary, min_frequency)
    trained = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    trained.normalizer, trained.pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
    options = {"vocab_size": vocabulary, "min_frequency": min_frequency, "special_tokens": ["[PAD]", "[UNK]"]}
    trained.train_from_iterator(texts, trainers.WordLevelTrainer(**options, show_progress=False))
    assert tokenizer.to_str() == trained.to_str()


@pytest.mark.parametrize("tokens", KINDS)
def test_a_saved_tokenizer_gives_the_same_ids(tmp_path: Path, tokens: Tokens) -> None:
    tokenizer = train_tokenizer(TEXTS, tokens, 50, 1)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    again = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert again.encode("The BANK #39;中国#39;").ids == tokenizer.encode("The BANK #39;中国#39;").ids


@pytest.mark.parametrize(("quantile", "cap", "longest"), [(1.0, 100, 9), (0.5, 100, 5), (0.45, 100, 5), (1.0, 3, 3)])
def test_texts_are_cut_at_a_quantile_of_the_lengths_or_at_the_cap(quantile: float, cap: int, longest: int) -> None:
    texts = ["a", "a a a a a", "a a a a a a a a a"]
    tokenizer = train_tokenizer(texts, "words", 100, 1)
    set_max_length(tokenizer, encode(tokenizer, texts), quantile, cap)
    assert len(encode(tokenizer, ["a " * 50])[0]) == longest


def test_ids_are_unpadded_rows_of_int32() -> None:
    tokenizer = train_tokenizer(TEXTS, "words", 100, 1)
    rows = encode(tokenizer, ["the", "", "the bank"])
    assert [len(row) for row in rows] == [1, 0, 2]
    assert {row.dtype for row in rows} == {np.dtype(np.int32)}
