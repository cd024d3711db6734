"""Fine-tuning of a pretrained encoder and a classification head, with smaller steps for lower blocks.

After J. Howard and S. Ruder, "Universal Language Model Fine-tuning for Text Classification", ACL 2018.
"""

import math
import re
from pathlib import Path
from typing import Any, Literal

import keras
from pydantic import BaseModel, Field

from gazette.training.encoders import bert
from gazette.training.networks import layers, training_loop
from gazette.training.networks.batches import Batches, Rows
from gazette.training.networks.family import Precision
from gazette.training.networks.learn import Learned, Split
from gazette.training.networks.tokenizer import encode


class Params(BaseModel, frozen=True, extra="forbid"):
    """Settings of fine-tuning; token and position embeddings stay frozen."""

    family: Literal["bert"]
    max_length: int = Field(ge=3, le=65_536)  # in tokens, [CLS] and [SEP] included; longer texts are truncated
    trainable_layers: int = Field(ge=1)  # blocks from the top; those below stay frozen
    dropout: float = Field(ge=0, lt=1)
    learning_rate: float = Field(gt=0)
    layer_decay: float = Field(gt=0, le=1)  # ratio of a block's learning rate to that of the block above it
    weight_decay: float = Field(ge=0)
    warmup_ratio: float = Field(ge=0, lt=1)  # share of the steps in which the learning rate rises before it decays
    batch_size: int = Field(ge=1, le=4096)
    epochs: int = Field(ge=1, le=1000)
    max_steps: int = Field(ge=1)  # bounds the time on a large corpus
    precision: Precision = "float32"


def train_fine_tuned(folder: Path, params: Params, train: Split, valid: Split, seed: int) -> Learned:
    """Fine-tune the encoder in `folder`; the best epoch's weights are kept."""
    tokenizer = bert.load_tokenizer(folder, params.max_length)
    train_rows, valid_rows = (Rows(encode(tokenizer, split.texts), split.labels) for split in (train, valid))
    network = build_classifier(bert.build_encoder(folder, params.dropout), train.classes, params.dropout)
    curve = fine_tune(network, params, train_rows, valid_rows, seed)
    probabilities = bert.embed(network, valid_rows.ids)
    return Learned(network, {"inputs": tokenizer}, params.max_length, params.precision, curve, probabilities)


def build_classifier(encoder: keras.Model, classes: int, dropout: float = 0.0) -> keras.Model:
    """Add a classification head to an encoder: token ids in, a probability per class out."""
    vectors = keras.layers.Dropout(dropout)(encoder.output)
    return keras.Model(encoder.input, layers.probabilities(classes, None)(vectors))


class LayerwiseAdamW(keras.optimizers.AdamW):
    """AdamW with a smaller learning rate for lower blocks, and no decay of biases and layer norms."""

    def __init__(self, rate: Any, weight_decay: float, layer_decay: float, top: int) -> None:
        super().__init__(rate, weight_decay=weight_decay, clipnorm=1.0, name="layerwise_adamw")
        self.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.layer_decay, self.top = layer_decay, top

    def build(self, variables: list[Any]) -> None:  # noqa: D102
        super().build(variables)
        depths = [_depth(variable.path.split("/")[0], self.top) for variable in variables]
        self.factors = [self.layer_decay ** (self.top - depth) for depth in depths]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:  # noqa: D102
        super().update_step(gradient, variable, learning_rate * self.factors[self._get_variable_index(variable)])


def _depth(layer: str, top: int) -> int:
    """Return 0 for the embeddings, 1 for the lowest block, `top` for the head."""
    match = re.match(r"block_(\d+)_", layer)
    return int(match[1]) + 1 if match else top if layer == "probabilities" else 0


def fine_tune(network: keras.Model, params: Params, train: Rows, valid: Rows, seed: int) -> list[dict[str, float]]:
    """Fit a classifier in place and return its learning curve; the best epoch's weights are kept."""
    top = 1 + max(_depth(layer.name, 0) for layer in network.layers)
    for layer in network.layers:
        layer.trainable = _depth(layer.name, top) >= max(1, top - params.trainable_layers)
    batches = Batches(train.ids, train.to_targets(network.output_shape[-1]), params.batch_size, seed)
    steps = min(params.epochs * len(batches), params.max_steps)
    epochs = math.ceil(steps / len(batches))
    rising = int(params.warmup_ratio * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - rising, warmup_target=params.learning_rate, warmup_steps=rising
    )
    optimizer = LayerwiseAdamW(rate, params.weight_decay, params.layer_decay, top)
    return training_loop.run_epochs(network, optimizer, batches, valid, epochs, epochs, math.ceil(steps / epochs))
