"""Tokenizers: learned from train rows, saved as `tokenizer.json`, which any program can read."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from gazette.core.normalization import normalizer

PAD, UNKNOWN = "[PAD]", "[UNK]"  # ids 0 and 1


def learn(
    texts: Sequence[str], tokens: Literal["words", "characters", "bpe"], vocabulary: int, min_count: int
) -> Tokenizer:
    """A tokenizer with at most `vocabulary` tokens that stand at least `min_count` times in `texts`.

    words: runs of letters and digits, punctuation and Han characters one by one; characters: all but white space one by
    one; bpe: parts of what stands between spaces and punctuation, the most frequent pairs joined first (R. Sennrich et
    al., ACL 2016): parts of words, and of Han characters in a row whole words.
    """
    special = [PAD, UNKNOWN]
    words = pre_tokenizers.BertPreTokenizer()
    model, trainer = (
        (models.BPE, trainers.BpeTrainer) if tokens == "bpe" else (models.WordLevel, trainers.WordLevelTrainer)
    )
    tokenizer = Tokenizer(model(unk_token=UNKNOWN))
    characters = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split("", "isolated")])
    tokenizer.normalizer = normalizer(han_apart=tokens != "bpe")
    tokenizer.pre_tokenizer = characters if tokens == "characters" else words
    tokenizer.train_from_iterator(
        texts, trainer(vocab_size=vocabulary, min_frequency=min_count, special_tokens=special, show_progress=False)
    )
    return tokenizer


def limit(tokenizer: Tokenizer, ids: Sequence[np.ndarray], quantile: float, cap: int) -> int:
    """Cuts texts from now on at the `quantile` of the lengths of `ids`, at most `cap`; says where.

    `ids` are texts that the tokenizer encoded whole, so that none is cut into tokens twice.
    """
    longest = int(min(np.quantile([len(text) for text in ids], quantile, method="higher"), cap))
    tokenizer.enable_truncation(longest)
    return longest


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """Token ids of each text, without padding."""
    return [np.array(encoding.ids, np.int32) for encoding in tokenizer.encode_batch_fast(texts)]
