"""Answers to texts: probabilities, and what the tokenizers made of each text on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from gazette.core.bundle import Bundle
from gazette.core.token_ids import Ragged


@dataclass(frozen=True)
class Answers:
    """Class probabilities, texts × labels, and of each text the tokens read and the share that no vocabulary has."""

    probabilities: npt.NDArray[np.float32]
    tokens: npt.NDArray[np.int64]
    unknown: npt.NDArray[np.float64]

    def split(self, sizes: Sequence[int]) -> list["Answers"]:
        """Split into the answers to so many texts each."""
        ends = np.cumsum(sizes)[:-1]
        parts = (np.split(column, ends) for column in (self.probabilities, self.tokens, self.unknown))
        return [Answers(*part) for part in zip(*parts, strict=True)]


def answer(bundle: Bundle, texts: Sequence[str]) -> Answers:
    """Answer texts, each of which is tokenized once; the inputs of a bundle with several count together."""
    encoded = bundle.encode(texts)
    tokens = np.sum([rows.lengths for rows in encoded.values()], axis=0)
    unknown = np.sum([_count_unknown(bundle.tokenizers[name], rows) for name, rows in encoded.items()], axis=0)
    return Answers(bundle.run(encoded), tokens, unknown / np.maximum(1, tokens))


def _count_unknown(tokenizer: Tokenizer, rows: Ragged) -> npt.NDArray[np.int64]:
    """Count the tokens of each text that are not in the vocabulary; a tokenizer without a token for them knows all."""
    token = getattr(tokenizer.model, "unk_token", None)
    unknown = rows.ids == (-1 if token is None else tokenizer.token_to_id(token))
    before = np.concatenate([[0], np.cumsum(unknown)])
    counts: npt.NDArray[np.int64] = before[rows.starts + rows.lengths] - before[rows.starts]
    return counts
