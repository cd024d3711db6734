"""Tokenizers: trained on the training rows and saved as `tokenizer.json`, which any program can load."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from gazette.core.normalization import normalizer
from gazette.core.token_ids import WORD_START, Encoder

SPECIAL = [PAD, UNKNOWN] = ["[PAD]", "[UNK]"]  # ids 0 and 1

_AT_SPACES = pre_tokenizers.WhitespaceSplit()
_PRE_TOKENIZERS = {
    "words": pre_tokenizers.BertPreTokenizer(),
    "characters": pre_tokenizers.Sequence([_AT_SPACES, pre_tokenizers.Split("", "isolated")]),
    "bpe": pre_tokenizers.Sequence([_AT_SPACES, pre_tokenizers.Metaspace(WORD_START)]),
}


def train_tokenizer(
    texts: Sequence[str], tokens: Literal["words", "characters", "bpe"], vocabulary: int, min_frequency: int
) -> Tokenizer:
    """Train a tokenizer with at most `vocabulary` tokens, each at least `min_frequency` times in `texts`.

    words: runs of letters and digits, single punctuation marks and Han characters; characters: every character but
    white space; bpe: subwords, the most frequent pairs merged first (R. Sennrich et al., ACL 2016), of what stands
    between spaces, with a `▁` where it begins (T. Kudo and J. Richardson, "SentencePiece", EMNLP 2018): `us-funded` and
    `u.s.` may be subwords, and so may words of several Han characters.
    """
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN) if tokens == "bpe" else _word_model([]))
    tokenizer.normalizer = normalizer(han_apart=tokens != "bpe")
    tokenizer.pre_tokenizer = _PRE_TOKENIZERS[tokens]
    if tokens == "words":  # as the trainer does, and four times as fast
        counts = Encoder(tokenizer).count_words(texts)
        frequent = sorted((-count, word) for word, count in counts.items() if count >= min_frequency)
        tokenizer.model = _word_model([word for _, word in frequent[: vocabulary - len(SPECIAL)]])
        tokenizer.add_special_tokens(SPECIAL)
    else:
        settings: dict[str, Any] = {"vocab_size": vocabulary, "min_frequency": min_frequency, "special_tokens": SPECIAL}
        if tokens == "bpe":
            alphabet = _alphabet(Encoder(tokenizer).count_words(texts), vocabulary - len(SPECIAL))
            settings |= {"initial_alphabet": alphabet, "limit_alphabet": len(alphabet)}
        trainer = trainers.BpeTrainer if tokens == "bpe" else trainers.WordLevelTrainer
        tokenizer.train_from_iterator(texts, trainer(**settings, show_progress=False))
    return tokenizer


def _alphabet(words: Counter[str], limit: int) -> list[str]:
    """Return the most frequent characters and the mark of a word's beginning.

    The trainer of itself keeps all, or, with a limit, any of those that are as frequent as the last.
    """
    counts = Counter[str]()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    frequent = sorted((-count, character) for character, count in counts.items() if character != WORD_START)
    return [WORD_START, *(character for _, character in frequent[: limit - 1])]


def _word_model(words: list[str]) -> models.WordLevel:
    return models.WordLevel({word: number for number, word in enumerate([*SPECIAL, *words])}, UNKNOWN)


def set_max_length(tokenizer: Tokenizer, ids: Sequence[np.ndarray], quantile: float, cap: int) -> int:
    """Truncate texts from now on at the `quantile` of the lengths of `ids`, at most `cap`; return that length.

    `ids` are texts that the tokenizer encoded without truncation, so that none is tokenized twice.
    """
    longest = int(min(np.quantile([len(text) for text in ids], quantile, method="higher"), cap))
    tokenizer.enable_truncation(longest)
    return longest


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """Return the token ids of each text, without padding."""
    rows = Encoder(tokenizer).encode(texts)
    return [rows.ids[start : start + length] for start, length in zip(rows.starts, rows.lengths, strict=True)]
