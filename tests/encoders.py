"""A tiny BERT of random weights, as Hugging Face lays one out, and what it says, reckoned by numpy alone."""

import json
import math
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WIDTH, HEADS, BLOCKS, WIDE, PLACES = 8, 2, 2, 16, 24
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": WIDTH,
    "num_attention_heads": HEADS,
    "num_hidden_layers": BLOCKS,
    "intermediate_size": WIDE,
    "max_position_embeddings": PLACES,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def make_encoder(folder: Path, characters: str) -> dict[str, np.ndarray]:
    """Lays the encoder down for texts of these characters; its weights by name."""
    folder.mkdir(parents=True)
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *sorted(set(characters))])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding(length=PLACES)  # as sentence-transformers leave it
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps(CONFIG | {"vocab_size": len(vocabulary)}))
    weights = _weights(len(vocabulary))
    save_file(weights, folder / "model.safetensors")
    return weights


def _weights(vocabulary: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(5)

    def table(*size: int) -> np.ndarray:
        return draw.normal(0, 0.4, size).astype(np.float32)

    made = {f"embeddings.{name}_embeddings.weight": table(rows, WIDTH) for name, rows in
            (("word", vocabulary), ("position", PLACES), ("token_type", 2))}  # fmt: skip
    linear = {f"attention.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")}
    linear |= {"attention.output.dense": (WIDTH, WIDTH), "intermediate.dense": (WIDE, WIDTH)}
    linear |= {"output.dense": (WIDTH, WIDE)}
    norms = ["embeddings.LayerNorm"]
    for block in range(BLOCKS):
        for name, size in linear.items():
            made[f"encoder.layer.{block}.{name}.weight"] = table(*size)
            made[f"encoder.layer.{block}.{name}.bias"] = table(size[0])
        norms += [f"encoder.layer.{block}.{part}.LayerNorm" for part in ("attention.output", "output")]
    for name in norms:
        made |= {f"{name}.weight": 1 + table(WIDTH), f"{name}.bias": table(WIDTH)}
    return made


def reckoned(weights: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """The mean of what the last block says of one text's tokens, as the paper has it."""

    def dense(name: str, x: np.ndarray) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        centred = (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)
        return centred * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    embedded = (weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type"))
    word, position, kind = embedded
    x = norm("embeddings.LayerNorm", word[ids] + position[: len(ids)] + kind[0])
    for block in range(BLOCKS):
        at = f"encoder.layer.{block}"
        query, key, value = (
            dense(f"{at}.attention.self.{part}", x).reshape(len(ids), HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        looked = np.exp(query @ key.transpose(0, 2, 1) / math.sqrt(WIDTH // HEADS))
        seen = (looked / looked.sum(-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(len(ids), WIDTH)
        x = norm(f"{at}.attention.output.LayerNorm", x + dense(f"{at}.attention.output.dense", seen))
        wide = dense(f"{at}.intermediate.dense", x)
        gelu = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = norm(f"{at}.output.LayerNorm", x + dense(f"{at}.output.dense", gelu))
    return x.mean(axis=0)
