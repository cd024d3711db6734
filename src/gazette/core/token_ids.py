"""Token ids of texts, as a tokenizer computes them, and for plain texts many times faster.

This module ships with every registered version, so it needs numpy and tokenizers, and nothing of Gazette.
"""

import itertools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

CHUNK = 1024  # texts that are tokenized together
PIECES, LONGEST = 1 << 16, 32  # words whose subwords are remembered, and their characters at most

# What NFKC and lower case map one by one, as the tokenizers do: no combining marks, nothing that is removed.
_PLAIN = "\t\n\r -~¡-¬®-ÿ‘’“”–—…、。《》「」『』【】\u4e00-\u9fff\uff01-\uff5e"
_ASCII_MARKS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_MARKS = re.escape(_ASCII_MARKS) + "¡§«¶·»¿‘’“”–—、。《》「」『』【】"  # punctuation among the plain characters
_HAN = "\u4e00-\u9fff"
_BERT = {"clean_text": True, "strip_accents": False, "lowercase": True}
WORD_START = "▁"  # before each word that is cut into subwords
_PRE_TOKENIZERS = {
    "WordLevel": {"type": "BertPreTokenizer"},
    "BPE": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": WORD_START, "prepend_scheme": "always", "split": True},
        ],
    },
}
_search_other = re.compile(f"[^{_PLAIN}]").search


def is_plain(text: str) -> bool:
    """Whether a text has nothing but characters that Python treats as the tokenizers do."""
    return _search_other(text) is None


class Ragged:
    """Token ids of many texts, concatenated in one array, and the length of each text."""

    def __init__(self, ids: npt.NDArray[np.int32], lengths: npt.NDArray[np.int64]) -> None:
        self.ids, self.lengths, self.starts = ids, lengths, np.cumsum(lengths) - lengths

    def pad(self, batch: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Return the texts of `batch`, padded with zeros to the longest."""
        positions = np.arange(max(1, self.lengths[batch].max()))
        inside = positions < self.lengths[batch, None]
        array = np.zeros(inside.shape, np.int32)
        array[inside] = self.ids[(self.starts[batch, None] + positions)[inside]]
        return array


class Encoder:
    """A tokenizer, and a shortcut for plain texts with equal ids, many times faster."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer, self.shortcut = tokenizer, Shortcut.of(tokenizer)

    def encode(self, texts: Sequence[str]) -> Ragged:
        """Tokenize texts in chunks, since the tokenizer's encodings take ten times the memory of the ids."""
        ids, lengths = [np.empty(0, np.int32)], [0]
        for start in range(0, len(texts), CHUNK):
            rows = self._encode_chunk(texts[start : start + CHUNK])
            lengths += map(len, rows)
            ids.append(np.fromiter(itertools.chain.from_iterable(rows), np.int32))
        return Ragged(np.concatenate(ids), np.array(lengths[1:], np.int64))

    def count_words(self, texts: Iterable[str]) -> Counter[str]:
        """Count what the tokenizer makes of texts before it looks anything up; added tokens are not looked for."""
        counts = Counter[str]()
        for text in texts:
            counts.update(self.shortcut.split(text) if self.shortcut and is_plain(text) else self._split(text))
        return counts

    def _split(self, text: str) -> list[str]:
        normalized = self.tokenizer.normalizer.normalize_str(text)
        return [word for word, _ in self.tokenizer.pre_tokenizer.pre_tokenize_str(normalized)]

    def _encode_chunk(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        rows = [self.shortcut.encode(text) if self.shortcut else None for text in texts]
        rest = [text for text, row in zip(texts, rows, strict=True) if row is None]
        encodings = iter(self.tokenizer.encode_batch_fast(rest))
        return [next(encodings).ids if row is None else row for row in rows]


class Shortcut:
    """The steps of a tokenizer for words or subwords, as operations on Python's strings, for plain texts.

    Entities, vocabulary and length are those of the tokenizer's own description.
    """

    def __init__(self, tokenizer: Tokenizer, about: dict[str, Any]) -> None:
        _, *steps, last = about["normalizer"]["normalizers"]
        self.is_words = about["model"]["type"] == "WordLevel"
        self.entities = [(step["pattern"]["String"], step["content"]) for step in steps]
        self.ends = {entity[-1] for entity, _ in self.entities}
        apart = _MARKS + _HAN * last["handle_chinese_chars"]
        self.find_words = re.compile(rf"[^\s{apart}]++|[{apart}]").findall
        self.special = [token["content"] for token in about["added_tokens"]]
        self.longest = (about["truncation"] or {}).get("max_length")
        self.vocabulary = _Words(about["model"]) if self.is_words else _Pieces(tokenizer.model)

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "Shortcut | None":
        """Return the shortcut of a tokenizer, None if it takes steps that are not known here."""
        match about := json.loads(tokenizer.to_str()):
            case {
                "truncation": None | {"direction": "Right"},
                "padding": None,
                "normalizer": {"normalizers": [{"type": "NFKC"}, *entities, {"type": "BertNormalizer"} as last]},
                "pre_tokenizer": pre_tokenizer,
                "post_processor": None,
                "model": {"type": "WordLevel" | "BPE" as model},
            } if (
                last.items() >= _BERT.items()
                and all("String" in step.get("pattern", ()) for step in entities)
                and pre_tokenizer == _PRE_TOKENIZERS[model]
            ):
                return cls(tokenizer, about)
        return None

    def encode(self, text: str) -> list[int] | None:
        """Return the ids of a text, None if it is not plain."""
        if not is_plain(text):
            return None
        for token in self.special:
            if token in text:
                return None
        return self.vocabulary.encode(self.split(text))[: self.longest]

    def split(self, text: str) -> list[str]:
        """Return the words of a plain text, before they are looked up."""
        is_ascii = text.isascii()
        if not is_ascii:
            text = unicodedata.normalize("NFKC", text)
        if any(end in text for end in self.ends):
            for entity, character in self.entities:
                text = text.replace(entity, character)
        text = text.lower()
        if not self.is_words:
            return text.split()
        if not is_ascii:
            return self.find_words(text)
        for mark in _ASCII_MARKS:  # faster than the expression
            if mark in text:
                text = text.replace(mark, f" {mark} ")
        return text.split()


class _Words(dict[str, int]):
    """The id of each word."""

    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__(model["vocab"])
        self.unknown = self[model["unk_token"]]

    def encode(self, words: list[str]) -> list[int]:
        return [*map(self.__getitem__, words)]

    def __missing__(self, word: str) -> int:
        return self.unknown


class _Pieces(dict[str, list[int]]):
    """The ids of each word's subwords, remembered for words already met."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def encode(self, words: list[str]) -> list[int]:
        return [*itertools.chain.from_iterable(map(self.__getitem__, words))]

    def __missing__(self, word: str) -> list[int]:
        ids = [token.id for token in self.model.tokenize(WORD_START + word)]
        if len(word) <= LONGEST:
            if len(self) >= PIECES:
                self.clear()
            self[word] = ids
        return ids
