"""A bundle: a trained classifier on disk. Texts in, class probabilities out, by ONNX Runtime.

A bundle is a folder with `model.onnx`, `tokenizer.json`, `weights.h5` (not for int8) and `bundle.json`: labels,
language, maximum length in tokens, and the tokenizer of each input. This module and `token_ids` ship with every
registered version, so they need numpy, ONNX Runtime and tokenizers, and nothing else of Gazette.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

if __package__:
    from gazette.core.token_ids import Encoder, Ragged
else:  # in a registered version both files lie side by side, and Gazette may be absent or another version
    from token_ids import Encoder, Ragged  # type: ignore[import-not-found, no-redef]

BATCH, TOKENS = 256, 8192  # texts and tokens of a batch; both bound memory


class Bundle:
    """A classifier loaded from its folder; `threads` is the number of threads for ONNX Runtime (0: all cores)."""

    def __init__(self, folder: Path | str, threads: int = 0) -> None:
        folder = Path(folder)
        about = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
        self.labels: list[str] = about["labels"]
        self.language: str = about["language"]
        texts = {name: (folder / file).read_text(encoding="utf-8") for name, file in about["inputs"].items()}
        self.tokenizers = {name: Tokenizer.from_str(text) for name, text in texts.items()}
        self.encoders = {name: Encoder(tokenizer) for name, tokenizer in self.tokenizers.items()}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        path = folder / "model.onnx"
        model = str(path) if str(path).isprintable() else path.read_bytes()  # ONNX Runtime takes only paths in UTF-8
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return class probabilities, texts × labels, in the order of `labels`."""
        return self.run(self.encode(texts))

    def encode(self, texts: Sequence[str]) -> dict[str, Ragged]:
        """Return the token ids of texts for each input."""
        return {name: encoder.encode(texts) for name, encoder in self.encoders.items()}

    def run(self, encoded: dict[str, Ragged]) -> npt.NDArray[np.float32]:
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
