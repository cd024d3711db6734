"""A small bundle that several tests read."""

import json
from pathlib import Path

import onnx
from tokenizers import Tokenizer, models, pre_tokenizers


def make_bundle(box: Path) -> Path:
    """A classifier that counts: more `goal` than `bank` in a text means sport."""
    folder = box / "bundle"
    folder.mkdir()
    network = """<ir_version: 8, opset_import: ["": 15]> net (int32[n, t] ids) => (float[n, 2] probabilities)
        <float[4, 2] table = {0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 2.0}>
        { rows = Gather(table, ids) sums = ReduceSum<keepdims = 0>(rows, axis) probabilities = Softmax(sums) }"""
    model = onnx.parser.parse_model(network.replace("0.0, 2.0}>", "0.0, 2.0}, int64[1] axis = {1}>"))
    onnx.save(model, folder / "model.onnx")
    words = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, "goal": 2, "bank": 3}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.save(str(folder / "tokenizer.json"))
    about = {"labels": ["sport", "trade"], "language": "en", "inputs": {"ids": "tokenizer.json"}}
    (folder / "bundle.json").write_text(json.dumps(about))
    return folder
