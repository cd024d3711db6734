"""BERT, a pretrained encoder, in Keras: token ids in, a vector per text out.

J. Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", NAACL 2019. An
encoder is a folder in Hugging Face's layout: `config.json`, `model.safetensors`, `tokenizer.json`.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from keras import ops
from prefect_dvc.core.errors import ConfigError, parse
from pydantic import BaseModel, Field
from safetensors import SafetensorError
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from gazette.core import files
from gazette.core.normalization import normalizer
from gazette.training.networks import layers
from gazette.training.networks.batches import chunks, pad

FILES = ("config.json", "model.safetensors", "tokenizer.json")


class BertConfig(BaseModel, frozen=True, extra="ignore"):
    """The keys of `config.json` that define the network; others are ignored."""

    model_type: Literal["bert"]
    hidden_act: Literal["gelu"]
    position_embedding_type: Literal["absolute"] = "absolute"
    pad_token_id: Literal[0] = 0
    vocab_size: int = Field(ge=2)
    hidden_size: int = Field(ge=1)
    num_attention_heads: int = Field(ge=1)
    num_hidden_layers: int = Field(ge=1)
    intermediate_size: int = Field(ge=1)
    max_position_embeddings: int = Field(ge=3)
    layer_norm_eps: float = Field(gt=0)


def read_config(folder: Path) -> BertConfig:
    """Read the config of the encoder in `folder`; raises ConfigError if it is missing or not supported."""
    if missing := [name for name in FILES if not (folder / name).exists()]:
        raise ConfigError(
            f"{folder} has no {', '.join(missing)}; run `gazette pretrained fetch` for an encoder that has a "
            f"description, or copy the files there and run `dvc add {folder}`"
        )
    return parse(BertConfig, files.read_json(folder / "config.json"), str(folder / "config.json"))


def load_tokenizer(folder: Path, length: int) -> Tokenizer:
    """Load the encoder's tokenizer, with our normalizer before its own, truncating at `length` tokens."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.normalizer = normalizer(tokenizer.normalizer)
    tokenizer.no_padding()
    tokenizer.enable_truncation(length)
    return tokenizer


def embed(network: keras.Model, ids: Sequence[np.ndarray]) -> np.ndarray:
    """Return the network's output for each text, in small batches of similar length: attention is length × length."""
    order = np.argsort([len(text) for text in ids], kind="stable")
    vectors = np.empty((len(ids), network.output_shape[-1]), np.float32)
    for rows in chunks(order, 64):
        vectors[rows] = network.predict_on_batch(pad([ids[row] for row in rows]))
    return vectors


def build_encoder(folder: Path, dropout: float = 0.0) -> keras.Model:
    """Build the encoder in `folder` with its weights: token ids in, mean-pooled last hidden states out."""
    config = read_config(folder)
    ids = layers.token_ids()
    positions = ops.minimum(ops.cumsum(ops.ones_like(ids), axis=1) - 1, config.max_position_embeddings - 1)
    vectors = keras.layers.Embedding(config.vocab_size, config.hidden_size, name="token_embeddings")(ids)
    vectors += keras.layers.Embedding(config.max_position_embeddings, config.hidden_size, name="position_embeddings")(
        positions
    )
    vectors = keras.layers.LayerNormalization(epsilon=config.layer_norm_eps, name="embeddings_norm")(vectors)
    vectors = keras.layers.Dropout(dropout)(vectors)
    attention_bias = ops.cast(ops.equal(ids, 0), "float32")[:, None, None, :] * -1e9
    for block in range(config.num_hidden_layers):
        vectors = _block(config, f"block_{block}", vectors, attention_bias, dropout)
    network = keras.Model(ids, layers.MaskedSum()(vectors, ids), name="encoder")
    _load_weights(network, config, folder / "model.safetensors")
    return network


def _block(config: BertConfig, name: str, vectors: Any, attention_bias: Any, dropout: float) -> Any:
    def dense(part: str, values: Any, width: int = config.hidden_size) -> Any:
        return keras.layers.Dense(width, name=f"{name}_{part}")(values)

    def add_and_norm(part: str, values: Any) -> Any:
        values = keras.layers.Dropout(dropout)(values)
        return keras.layers.LayerNormalization(epsilon=config.layer_norm_eps, name=f"{name}_{part}")(vectors + values)

    size = config.hidden_size // config.num_attention_heads
    split_heads = keras.layers.Reshape((-1, config.num_attention_heads, size))
    query, key, value = (ops.transpose(split_heads(dense(part, vectors)), (0, 2, 1, 3)) for part in _ATTENTION)
    scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / math.sqrt(size)
    mixed = ops.matmul(ops.softmax(scores + attention_bias), value)
    joined = keras.layers.Reshape((-1, config.hidden_size))(ops.transpose(mixed, (0, 2, 1, 3)))
    vectors = add_and_norm("attention_norm", dense("attention_output", joined))
    hidden = _gelu(dense("intermediate", vectors, config.intermediate_size))
    return add_and_norm("output_norm", dense("output", hidden))


def _gelu(values: Any) -> Any:
    """Return the exact gelu, written out since `ops.gelu` becomes an `Erfc`, which ONNX lacks."""
    return values * 0.5 * (1 + ops.erf(values / math.sqrt(2)))


_ATTENTION = ("query", "key", "value")
_BLOCK_WEIGHTS = {
    **{part: f"attention.self.{part}" for part in _ATTENTION},
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output_norm": "output.LayerNorm",
}


def _load_weights(network: keras.Model, config: BertConfig, file: Path) -> None:
    try:
        arrays = load_file(file)
    except SafetensorError as error:
        raise ConfigError(f"{file} cannot be read as safetensors: {error}") from error
    weights = {name.removeprefix("bert."): array.astype(np.float32) for name, array in arrays.items()}

    def set_weights(layer: str, *arrays: np.ndarray) -> None:
        network.get_layer(layer).set_weights(arrays)

    try:
        set_weights("token_embeddings", weights["embeddings.word_embeddings.weight"])
        segment = weights["embeddings.token_type_embeddings.weight"][0]  # the first segment; our texts have no second
        set_weights("position_embeddings", weights["embeddings.position_embeddings.weight"] + segment)
        set_weights("embeddings_norm", *_weight_and_bias(weights, "embeddings.LayerNorm"))
        for block in range(config.num_hidden_layers):
            for part, name in _BLOCK_WEIGHTS.items():
                set_weights(f"block_{block}_{part}", *_weight_and_bias(weights, f"encoder.layer.{block}.{name}"))
    except (KeyError, ValueError) as error:
        raise ConfigError(f"{file} does not match config.json in the same folder: {error}") from error


def _weight_and_bias(weights: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    return weights[f"{name}.weight"].T, weights[f"{name}.bias"]
