"""A bundle: what a classifier is once it is trained. Texts in, class probabilities out, by ONNX Runtime.

A bundle is a folder with `model.onnx`, `tokenizer.json`, `weights.h5` (not in int8) and `bundle.json`: labels,
language, longest text in tokens, which tokenizer feeds which input. This module needs numpy, ONNX Runtime and
tokenizers, nothing of Gazette: it travels with every registered version.
"""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

BATCH, TOKENS = 256, 8192  # texts that run through the network together, and tokens of theirs: both bound memory
CHUNK = 4096  # texts that are cut into tokens together


class Bundle:
    """A classifier that was read from its folder; `threads` is how many cores ONNX Runtime may use (0: all)."""

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
        """Class probabilities, texts × labels, in the order of `labels`."""
        found = np.empty((len(texts), len(self.labels)), np.float32)
        encoded = {name: Ragged.encode(tokenizer, texts) for name, tokenizer in self.tokenizers.items()}
        lengths = np.max([rows.lengths for rows in encoded.values()], axis=0, initial=0)
        order = np.argsort(lengths, kind="stable")  # texts of like length together: little padding
        start = 0
        while start < len(texts):
            batch = order[start : start + BATCH]
            batch = batch[: max(1, TOKENS // max(1, lengths[batch[-1]]))]  # the last is the longest
            start += len(batch)
            inputs = {name: rows.padded(batch) for name, rows in encoded.items()}
            found[batch] = self.session.run(None, inputs)[0]
        return found


class Ragged:
    """Token ids of many texts in one array, end to end, and how many each text has."""

    def __init__(self, ids: npt.NDArray[np.int32], lengths: npt.NDArray[np.int64]) -> None:
        self.ids, self.lengths, self.starts = ids, lengths, np.cumsum(lengths) - lengths

    @classmethod
    def encode(cls, tokenizer: Tokenizer, texts: Sequence[str]) -> "Ragged":
        """Cut by chunks: what the tokenizer hands over is ten times as large as the ids."""
        ids, lengths = [np.empty(0, np.int32)], [0]
        for start in range(0, len(texts), CHUNK):
            rows = [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts[start : start + CHUNK]))]
            lengths += map(len, rows)
            ids.append(np.fromiter(itertools.chain.from_iterable(rows), np.int32))
        return cls(np.concatenate(ids), np.array(lengths[1:], np.int64))

    def padded(self, batch: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """The texts of `batch`, each with zeros behind it up to the longest."""
        place = np.arange(max(1, self.lengths[batch].max()))
        inside = place < self.lengths[batch, None]
        array = np.zeros(inside.shape, np.int32)
        array[inside] = self.ids[(self.starts[batch, None] + place)[inside]]
        return array
