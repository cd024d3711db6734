"""A tiny BERT with random weights in Hugging Face's layout, and its output computed by numpy."""

import json
import math
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WIDTH, HEADS, BLOCKS, INTERMEDIATE, POSITIONS = 8, 2, 2, 16, 24
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": WIDTH,
    "num_attention_heads": HEADS,
    "num_hidden_layers": BLOCKS,
    "intermediate_size": INTERMEDIATE,
    "max_position_embeddings": POSITIONS,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def make_encoder(folder: Path, characters: str) -> dict[str, np.ndarray]:
    """Writes an encoder for texts of these characters; returns its weights by name."""
    folder.mkdir(parents=True)
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *sorted(set(characters))])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding(length=POSITIONS)  # as sentence-transformers does
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps(CONFIG | {"vocab_size": len(vocabulary)}))
    weights = _weights(len(vocabulary))
    save_file(weights, folder / "model.safetensors")
    return weights


def _weights(vocabulary: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(5)

    def table(*size: int) -> np.ndarray:
        return draw.normal(0, 0.4, size).astype(np.float32)

    weights = {f"embeddings.{name}_embeddings.weight": table(rows, WIDTH) for name, rows in
            (("word", vocabulary), ("position", POSITIONS), ("token_type", 2))}  # fmt: skip
    linear = {f"attention.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")}
    linear |= {"attention.output.dense": (WIDTH, WIDTH), "intermediate.dense": (INTERMEDIATE, WIDTH)}
    linear |= {"output.dense": (WIDTH, INTERMEDIATE)}
    norms = ["embeddings.LayerNorm"]
    for block in range(BLOCKS):
        for name, size in linear.items():
            weights[f"encoder.layer.{block}.{name}.weight"] = table(*size)
            weights[f"encoder.layer.{block}.{name}.bias"] = table(size[0])
        norms += [f"encoder.layer.{block}.{part}.LayerNorm" for part in ("attention.output", "output")]
    for name in norms:
        weights |= {f"{name}.weight": 1 + table(WIDTH), f"{name}.bias": table(WIDTH)}
    return weights


def expected_vector(weights: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """The mean of the last hidden states of one text, as the paper defines them."""

    def dense(name: str, x: np.ndarray) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        centered = (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)
        return centered * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    tables = (weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type"))
    word, position, segment = tables
    x = norm("embeddings.LayerNorm", word[ids] + position[: len(ids)] + segment[0])
    for block in range(BLOCKS):
        layer = f"encoder.layer.{block}"
        query, key, value = (
            dense(f"{layer}.attention.self.{part}", x).reshape(len(ids), HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = np.exp(query @ key.transpose(0, 2, 1) / math.sqrt(WIDTH // HEADS))
        mixed = (scores / scores.sum(-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(len(ids), WIDTH)
        x = norm(f"{layer}.attention.output.LayerNorm", x + dense(f"{layer}.attention.output.dense", mixed))
        hidden = dense(f"{layer}.intermediate.dense", x)
        gelu = hidden * 0.5 * (1 + np.vectorize(math.erf)(hidden / math.sqrt(2)))
        x = norm(f"{layer}.output.LayerNorm", x + dense(f"{layer}.output.dense", gelu))
    return x.mean(axis=0)
