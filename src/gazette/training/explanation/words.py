"""The words of a text as people read them, whatever tokens a classifier reads."""

from collections.abc import Sequence
from functools import cache

from tokenizers import Tokenizer, models, pre_tokenizers

from gazette.core.normalization import normalizer


def find_words(text: str) -> list[tuple[int, int]]:
    """Return start and end of each word: a run of letters and digits, a mark, a Han character.

    A character that stands for several words (`㏂`) is one.
    """
    spans = dict.fromkeys(_cutter().encode(text).offsets)
    return [(start, end) for start, end in spans if text[start:end].strip()]


def split_words(texts: Sequence[str]) -> list[list[str]]:
    """Return the normalized words of each text."""
    cutter = _cutter()
    normalized = (cutter.normalizer.normalize_str(text) for text in texts)
    return [[word for word, _ in cutter.pre_tokenizer.pre_tokenize_str(text)] for text in normalized]


@cache
def _cutter() -> Tokenizer:
    cutter = Tokenizer(models.WordLevel({"": 0}, ""))  # all words are unknown, none is lost
    cutter.normalizer, cutter.pre_tokenizer = normalizer(), pre_tokenizers.BertPreTokenizer()
    return cutter
