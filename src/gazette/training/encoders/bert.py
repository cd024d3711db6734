"""BERT: an encoder that others trained, in Keras; token ids to a vector per text.

J. Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", NAACL 2019. A
folder as Hugging Face lays it out holds the encoder: `config.json`, `model.safetensors`, `tokenizer.json`.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from keras import ops
from pydantic import BaseModel, Field
from safetensors import SafetensorError
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from gazette.core import files
from gazette.core.errors import Misconfigured, parse
from gazette.core.normalization import normalizer
from gazette.training.networks import layers, training_loop

FILES = ("config.json", "model.safetensors", "tokenizer.json")


class Shape(BaseModel, frozen=True, extra="ignore"):
    """What `config.json` says that an encoder is built from; keys that it has besides do not matter here."""

    model_type: Literal["bert"]
    hidden_act: Literal["gelu"]
    position_embedding_type: Literal["absolute"] = "absolute"
    pad_token_id: Literal[0] = 0  # the id that pads a batch
    vocab_size: int = Field(ge=2)
    hidden_size: int = Field(ge=1)
    num_attention_heads: int = Field(ge=1)
    num_hidden_layers: int = Field(ge=1)
    intermediate_size: int = Field(ge=1)
    max_position_embeddings: int = Field(ge=3)
    layer_norm_eps: float = Field(gt=0)


def shape(folder: Path) -> Shape:
    """The shape of the encoder in `folder`; raises Misconfigured where it is not there, or none that is built here."""
    if missing := [name for name in FILES if not (folder / name).exists()]:
        raise Misconfigured(
            f"{folder} has no {', '.join(missing)}; `gazette pretrained fetch` brings an encoder that is described, "
            f"any other is laid down there and taken in by `dvc add {folder}`"
        )
    return parse(Shape, files.read(folder / "config.json"), str(folder / "config.json"))


def tokenizer(folder: Path, length: int) -> Tokenizer:
    """The tokenizer that the encoder was trained with, after our own normalizer; texts are cut at `length` tokens."""
    found = Tokenizer.from_file(str(folder / "tokenizer.json"))
    found.normalizer = normalizer(found.normalizer)
    found.no_padding()
    found.enable_truncation(length)
    return found


def encode(found: Tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """Token ids of each text, without padding."""
    return [np.array(encoding.ids, np.int32) for encoding in found.encode_batch_fast(list(texts))]


def said(network: keras.Model, ids: Sequence[np.ndarray]) -> np.ndarray:
    """What the network says of each text; those of like length together, few at once: attention is long times long."""
    order = np.argsort([len(text) for text in ids], kind="stable")
    found = np.empty((len(ids), network.output_shape[-1]), np.float32)
    for start in range(0, len(ids), 64):
        rows = order[start : start + 64]
        found[rows] = network.predict_on_batch(training_loop.padded([ids[row] for row in rows]))
    return found


def encoder(folder: Path, dropout: float = 0.0) -> keras.Model:
    """The encoder in `folder` with its weights: token ids to the mean of what its last block says of each token."""
    of = shape(folder)
    ids = layers.token_ids()
    places = ops.minimum(ops.cumsum(ops.ones_like(ids), axis=1) - 1, of.max_position_embeddings - 1)
    vectors = keras.layers.Embedding(of.vocab_size, of.hidden_size, name="words")(ids)
    vectors += keras.layers.Embedding(of.max_position_embeddings, of.hidden_size, name="places")(places)
    vectors = keras.layers.LayerNormalization(epsilon=of.layer_norm_eps, name="embedded")(vectors)
    vectors = keras.layers.Dropout(dropout)(vectors)
    away = ops.cast(ops.equal(ids, 0), "float32")[:, None, None, :] * -1e9  # from padding
    for block in range(of.num_hidden_layers):
        vectors = _block(of, f"block_{block}", vectors, away, dropout)
    network = keras.Model(ids, layers.MaskedSum()(vectors, ids), name="encoder")
    _load(network, of, folder / "model.safetensors")
    return network


def _block(of: Shape, name: str, vectors: Any, away: Any, dropout: float) -> Any:
    def dense(part: str, values: Any, width: int = of.hidden_size) -> Any:
        return keras.layers.Dense(width, name=f"{name}_{part}")(values)

    def normed(part: str, values: Any) -> Any:
        values = keras.layers.Dropout(dropout)(values)
        return keras.layers.LayerNormalization(epsilon=of.layer_norm_eps, name=f"{name}_{part}")(vectors + values)

    size = of.hidden_size // of.num_attention_heads
    per_head = keras.layers.Reshape((-1, of.num_attention_heads, size))
    query, key, value = (ops.transpose(per_head(dense(part, vectors)), (0, 2, 1, 3)) for part in _ATTENTION)
    looked = ops.softmax(ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / math.sqrt(size) + away)
    joined = keras.layers.Reshape((-1, of.hidden_size))(ops.transpose(ops.matmul(looked, value), (0, 2, 1, 3)))
    vectors = normed("attended", dense("joined", joined))
    return normed("written", dense("narrow", _gelu(dense("wide", vectors, of.intermediate_size))))


def _gelu(values: Any) -> Any:
    """Exact, as the encoder was trained with; written out, since `ops.gelu` becomes an `Erfc`, which ONNX lacks."""
    return values * 0.5 * (1 + ops.erf(values / math.sqrt(2)))


_ATTENTION = ("query", "key", "value")
_IN_BLOCK = {
    **{part: f"attention.self.{part}" for part in _ATTENTION},
    "joined": "attention.output.dense",
    "attended": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "written": "output.LayerNorm",
}


def _load(network: keras.Model, of: Shape, file: Path) -> None:
    try:
        read = load_file(file)
    except SafetensorError as error:
        raise Misconfigured(f"{file} cannot be read as safetensors: {error}") from error
    found = {name.removeprefix("bert."): array.astype(np.float32) for name, array in read.items()}

    def put(layer: str, *arrays: np.ndarray) -> None:
        network.get_layer(layer).set_weights(arrays)

    try:
        put("words", found["embeddings.word_embeddings.weight"])
        kind = found["embeddings.token_type_embeddings.weight"][0]  # of a single text, which all of ours are
        put("places", found["embeddings.position_embeddings.weight"] + kind)
        put("embedded", *_pair(found, "embeddings.LayerNorm"))
        for block in range(of.num_hidden_layers):
            for part, name in _IN_BLOCK.items():
                put(f"block_{block}_{part}", *_pair(found, f"encoder.layer.{block}.{name}"))
    except (KeyError, ValueError) as error:
        raise Misconfigured(f"{file} does not hold what config.json beside it describes: {error}") from error


def _pair(found: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    return found[f"{name}.weight"].T, found[f"{name}.bias"]
