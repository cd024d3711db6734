"""A bundle: what a classifier is once it is trained. Texts in, class probabilities out, by ONNX Runtime.

A bundle is a folder with `model.onnx`, `tokenizer.json`, `weights.h5` and `bundle.json` (labels, language, longest text
in tokens, which tokenizer feeds which input). This module needs numpy, ONNX Runtime and tokenizers, nothing of Gazette:
it travels with every registered version.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

BATCH = 256  # texts that run through the network together


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
        encoded = {name: self._encode(tokenizer, texts) for name, tokenizer in self.tokenizers.items()}
        lengths = np.max([[len(ids) for ids in rows] for rows in encoded.values()], axis=0, initial=0)
        order = np.argsort(lengths, kind="stable")  # texts of like length together: little padding
        for start in range(0, len(texts), BATCH):
            batch = order[start : start + BATCH]
            inputs = {name: _padded([rows[row] for row in batch]) for name, rows in encoded.items()}
            found[batch] = self.session.run(None, inputs)[0]
        return found

    @staticmethod
    def _encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]


def _padded(rows: list[list[int]]) -> npt.NDArray[np.int32]:
    array = np.zeros((len(rows), max(1, *map(len, rows))), np.int32)
    for line, ids in zip(array, rows, strict=True):
        line[: len(ids)] = ids
    return array
