"""A bundle: a trained classifier on disk. Texts in, class probabilities out, by ONNX Runtime.

A bundle is a folder with `model.onnx`, `tokenizer.json`, `weights.h5` (not for int8) and `bundle.json`: labels,
language, maximum length in tokens, and the tokenizer of each input. This module ships with every registered version, so
it needs numpy, ONNX Runtime and tokenizers, and nothing of Gazette.
"""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

BATCH, TOKENS = 256, 8192  # texts and tokens of a batch; both bound memory
CHUNK = 4096  # texts that are tokenized together


class Bundle:
    """A classifier loaded from its folder; `threads` is the number of threads for ONNX Runtime (0: all cores)."""

    def __init__(self, folder: Path | str, threads: int = 0) -> None:
        folder = Path(folder)
        about = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
        self.labels: list[str] = about["labels"]
        self.language: str = about["language"]
        self.tokenizers = {name: Tokenizer.from_file(str(folder / file)) for name, file in about["inputs"].items()}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return class probabilities, texts × labels, in the order of `labels`."""
        return self.run(self.encode(texts))

    def encode(self, texts: Sequence[str]) -> "dict[str, Ragged]":
        """Return the token ids of texts for each input."""
        return {name: Ragged.encode(tokenizer, texts) for name, tokenizer in self.tokenizers.items()}

    def run(self, encoded: "dict[str, Ragged]") -> npt.NDArray[np.float32]:
        """Return class probabilities of encoded texts."""
        lengths = np.max([rows.lengths for rows in encoded.values()], axis=0, initial=0)
        probabilities = np.empty((len(lengths), len(self.labels)), np.float32)
        order = np.argsort(lengths, kind="stable")  # similar lengths together: little padding
        start = 0
        while start < len(lengths):
            batch = order[start : start + BATCH]
            batch = batch[: max(1, TOKENS // max(1, lengths[batch[-1]]))]  # the last is the longest
            start += len(batch)
            inputs = {name: rows.pad(batch) for name, rows in encoded.items()}
            probabilities[batch] = self.session.run(None, inputs)[0]
        return probabilities


class Ragged:
    """Token ids of many texts, concatenated in one array, and the length of each text."""

    def __init__(self, ids: npt.NDArray[np.int32], lengths: npt.NDArray[np.int64]) -> None:
        self.ids, self.lengths, self.starts = ids, lengths, np.cumsum(lengths) - lengths

    @classmethod
    def encode(cls, tokenizer: Tokenizer, texts: Sequence[str]) -> "Ragged":
        """Tokenize texts in chunks, since the tokenizer's encodings take ten times the memory of the ids."""
        ids, lengths = [np.empty(0, np.int32)], [0]
        for start in range(0, len(texts), CHUNK):
            rows = [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts[start : start + CHUNK]))]
            lengths += map(len, rows)
            ids.append(np.fromiter(itertools.chain.from_iterable(rows), np.int32))
        return cls(np.concatenate(ids), np.array(lengths[1:], np.int64))

    def pad(self, batch: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Return the texts of `batch`, padded with zeros to the longest."""
        positions = np.arange(max(1, self.lengths[batch].max()))
        inside = positions < self.lengths[batch, None]
        array = np.zeros(inside.shape, np.int32)
        array[inside] = self.ids[(self.starts[batch, None] + positions)[inside]]
        return array
